import numpy as np
import pytest

from apple_clf.errors import ArtifactError
from apple_clf.explanation.keras_backend import Network
from apple_clf.model.backend import keras, tf
from explanation.models import MODELS, PICTURE, SHAPE, convolutional, dense, imported

pytestmark = pytest.mark.slow

BATCH = PICTURE[None].astype(np.float32)


@pytest.fixture(scope="module", params=MODELS)
def model(request: pytest.FixtureRequest) -> keras.Model:
    return MODELS[request.param]()


@pytest.fixture
def network(model: keras.Model) -> Network:
    return Network(model, n_classes=3)


def test_last_step_gives_the_probabilities_of_the_model(
    model: keras.Model, network: Network
) -> None:
    forward = network.forward(PICTURE)
    expected = model(PICTURE[None], training=False)[0]
    np.testing.assert_allclose(forward.outputs[-1], expected, atol=1e-6)
    np.testing.assert_allclose(keras.ops.softmax(forward.logits), expected, atol=1e-6)


def test_each_step_gives_what_its_layer_makes_of_what_entered(network: Network) -> None:
    forward = network.forward(PICTURE)
    for step, output in zip(network.steps, forward.outputs, strict=True):
        entering = [PICTURE if i < 0 else forward.outputs[i] for i in step.sources]
        batch = [tf.constant(x[None], tf.float32) for x in entering]
        again = step.layer(batch[0] if len(batch) == 1 else batch, training=False)[0]
        np.testing.assert_allclose(output, again, atol=1e-6)
        assert output.shape == step.shape


@pytest.mark.parametrize("build", [dense, convolutional], ids=["dense", "convolutional"])
def test_outputs_are_those_of_the_keras_layers_of_the_same_name(build: object) -> None:
    model = build()  # type: ignore[operator]  # one of two functions
    network = Network(model, n_classes=3)
    forward = network.forward(PICTURE)
    assert [step.name for step in network.steps] == [layer.name for layer in model.layers[1:]]
    taps = keras.Model(model.input, [layer.output for layer in model.layers[1:]])
    for ours, theirs in zip(forward.outputs, taps(PICTURE[None], training=False), strict=True):
        np.testing.assert_allclose(ours, theirs[0], atol=1e-6)


def test_models_inside_a_model_are_opened() -> None:
    kinds = [step.kind for step in Network(imported(), n_classes=3).steps]
    assert kinds == ["Rescaling", "Conv2D", "ReLU", "Add", "Conv2D", "Flatten", "Dense"]


def test_gradient_of_a_logit_is_its_slope(network: Network) -> None:
    gradient = network.logit_gradients(BATCH, code=1)[0]
    direction = np.random.default_rng(4).normal(size=SHAPE).astype(np.float32)
    step = 0.05
    up, down = network.logits(
        np.concatenate([BATCH + step * direction, BATCH - step * direction]), code=1
    )
    assert np.abs(gradient).sum() > 0
    slope = float((gradient * direction).sum())
    # Logits of about 1 are known to 6e-8, so their difference over 0.1 to some 1e-6.
    assert (up - down) / (2 * step) == pytest.approx(slope, rel=0.02, abs=1e-5)


def test_many_pictures_are_answered_as_one_by_one(network: Network) -> None:
    pictures = np.random.default_rng(5).integers(256, size=(70, *SHAPE), dtype=np.uint8)
    alone = [network.logits(picture[None].astype(np.float32), code=0)[0] for picture in pictures]
    together = network.logits(pictures.astype(np.float32), code=0)
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-5)
    assert network.features(pictures).shape[0] == 70


def test_backward_gives_the_loss_and_gradients_of_keras(
    model: keras.Model, network: Network
) -> None:
    backward = network.backward(PICTURE, label="plum", code=2)
    loss = keras.losses.SparseCategoricalCrossentropy()
    with tf.GradientTape() as tape:
        value = loss(np.array([2]), model(PICTURE[None], training=False))
    values = [variable.value for variable in model.trainable_variables]
    gradients = tape.gradient(value, values)
    assert backward.loss == pytest.approx(float(value), rel=1e-5)
    assert backward.probability == pytest.approx(np.exp(-float(value)), rel=1e-5)
    ours = np.linalg.norm([step.by_weights or 0 for step in backward.steps])
    assert ours == pytest.approx(float(tf.linalg.global_norm(gradients)), rel=1e-4)
    assert [step.layer for step in backward.steps] == [s.name for s in reversed(network.steps)]


def test_gradient_by_the_logits_is_probability_less_truth(network: Network) -> None:
    probabilities = network.forward(PICTURE).outputs[-1]
    backward = network.backward(PICTURE, label="pear", code=1)
    expected = np.linalg.norm(probabilities - [0, 1, 0])
    assert backward.steps[0].by_output == pytest.approx(float(expected), rel=1e-5)
    scaled = next(step for step in backward.steps if step.layer == "rescaling")
    assert backward.by_pixels == pytest.approx(scaled.by_output / 255, rel=1e-4)


def test_model_of_other_classes_is_refused() -> None:
    with pytest.raises(ArtifactError, match="over 2 classes"):
        Network(dense(), n_classes=2)
