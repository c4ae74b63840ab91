import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import write_image
from PIL import Image

from apple_clf.config.schema import BatchNormalization, Dense, ModelConfig
from apple_clf.errors import ArtifactError
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.io.files import Skipped
from apple_clf.io.parallel import SERIAL_BELOW
from apple_clf.model.appearance import appearances
from apple_clf.model.backend import keras
from apple_clf.model.building import build_model
from apple_clf.model.files import keras_bytes, litert_bytes
from apple_clf.prediction import inference
from apple_clf.prediction.decision.novelty import fit_gaussian
from apple_clf.prediction.inference import BATCH, Answer, Predictor, predict_files
from apple_clf.runs import Run
from apple_clf.runs.model_record import ModelRecord

LAYERS = ModelConfig(layers=(Dense(units=7, activation="tanh"), BatchNormalization()))
NAMES = ("apple", "pear", "plum")
PIXELS = np.random.default_rng(0).integers(256, size=(300, 9, 8, 1), dtype=np.uint8)


def make_model(n_classes: int, *, scale: float = 3.0) -> keras.Model:
    keras.utils.set_random_seed(1)
    model = build_model(LAYERS, input_shape=(9, 8, 1), n_classes=n_classes)
    model.set_weights([weights * scale for weights in model.get_weights()])
    return model


def make_record(model: bytes, *names: str) -> ModelRecord:
    return ModelRecord(
        class_names=names,
        positive_class=names[0],
        preprocessing=Preprocessing(image_size=(9, 8)),
        threshold=0.5 if len(names) == 2 else None,
        temperature=1.0,
        keras_version=keras.__version__,
        keras_sha256="",
        litert_sha256=hashlib.sha256(model).hexdigest(),
    )


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return make_model(3)


@pytest.fixture(scope="module")
def litert(model: keras.Model) -> bytes:
    return litert_bytes(model)


@pytest.fixture
def run(tmp_path: Path, litert: bytes) -> Run:
    """A run that holds what prediction reads and nothing else."""
    run = Run(tmp_path / "tiny-001")
    run.path.mkdir()
    run.litert_model.write_bytes(litert)
    run.model_record.write_text(make_record(litert, *NAMES).to_json())
    return run


@pytest.mark.parametrize("n", [0, 1, 7, BATCH, 300])
def test_answers_are_those_of_keras_for_any_number_of_images(
    model: keras.Model, litert: bytes, n: int
) -> None:
    predictor = Predictor(make_record(litert, *NAMES), litert)
    answers = predictor.predict(PIXELS[:n])
    assert answers.shape == (n, 3)
    expected = model(PIXELS, training=False).numpy()[:n]
    assert np.ptp(model(PIXELS, training=False).numpy()[:, 0]) > 0.1
    np.testing.assert_allclose(answers, expected, atol=1e-5)


def test_answer_does_not_depend_on_the_images_beside_it(litert: bytes) -> None:
    predictor = Predictor(make_record(litert, *NAMES), litert)
    together = predictor.predict(PIXELS)
    alone = np.concatenate([predictor.predict(PIXELS[i : i + 1]) for i in range(len(PIXELS))])
    in_sevens = np.concatenate([predictor.predict(PIXELS[i : i + 7]) for i in range(0, 300, 7)])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(together, in_sevens, atol=1e-6)


@pytest.mark.parametrize("temperature", [0.3, 4.0])
def test_temperature_divides_the_logits(
    model: keras.Model, litert: bytes, temperature: float
) -> None:
    record = replace(make_record(litert, *NAMES), temperature=temperature)
    predictor = Predictor(record, litert)
    logits = predictor.outputs(PIXELS).logits
    np.testing.assert_allclose(
        predictor.predict(PIXELS), keras.ops.softmax(logits / temperature), atol=1e-5
    )
    assert abs(predictor.predict(PIXELS) - model(PIXELS, training=False).numpy()).max() > 0.1


@pytest.fixture(scope="module")
def novelty_scoring(model: keras.Model) -> bytes:
    return litert_bytes(model, novelty=fit_gaussian(appearances(PIXELS)))


def test_pictures_above_the_novelty_threshold_are_unsure_and_answered_all_the_same(
    novelty_scoring: bytes, tmp_path: Path
) -> None:
    record = make_record(novelty_scoring, *NAMES)
    never = Predictor(record, novelty_scoring)
    strict = Predictor(replace(record, novelty_threshold=100.0), novelty_scoring)
    blank = np.zeros((1, 9, 8, 1), np.uint8)
    pixels = np.concatenate([PIXELS[:9], blank])
    novelty = strict.outputs(pixels).novelty
    assert strict.unsure(novelty).tolist() == [False] * 9 + [True]
    assert not never.unsure(novelty).any()
    file = tmp_path / "blank.png"
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(file)
    (usual,), (unsure,) = (predictor.answer([str(file)]) for predictor in (never, strict))
    assert unsure == usual._replace(unsure=True)


def test_novelty_threshold_of_a_model_that_scores_none_is_refused(litert: bytes) -> None:
    record = replace(make_record(litert, *NAMES), novelty_threshold=1.0)
    with pytest.raises(ArtifactError, match="the model scores no novelty"):
        Predictor(record, litert)


@pytest.mark.parametrize(("threshold", "expected"), [(0.0, 0), (0.5, None), (1.0, 1)])
def test_of_two_classes_the_threshold_decides(threshold: float, expected: int | None) -> None:
    content = litert_bytes(make_model(2))
    record = replace(make_record(content, "apple", "pear"), threshold=threshold)
    predictor = Predictor(record, content)
    probabilities = predictor.predict(PIXELS)
    codes = predictor.decide(probabilities)
    if expected is None:
        np.testing.assert_array_equal(codes, probabilities.argmax(axis=1))
        assert set(codes) == {0, 1}
    else:
        assert set(codes) == {expected}


def test_answer_names_the_class_and_its_probability(run: Run, tmp_path: Path) -> None:
    (answer,) = predict_files(run, [str(write_image(tmp_path / "a.png", 0))])
    assert answer.error is None
    assert answer.probabilities is not None
    assert list(answer.probabilities) == list(NAMES)
    assert sum(answer.probabilities.values()) == pytest.approx(1, abs=1e-6)
    assert answer.class_name == max(NAMES, key=answer.probabilities.__getitem__)
    assert answer.probability == max(answer.probabilities.values())


def test_bad_files_are_answered_with_their_error_and_the_others_with_a_class(
    run: Run, tmp_path: Path
) -> None:
    good = write_image(tmp_path / "good.png", 0)
    (tmp_path / "text.jpg").write_text("no image")
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:60])
    files: list[str | Skipped] = [
        *(str(tmp_path / name) for name in ("text.jpg", "good.png", "cut.png", "missing.png")),
        str(tmp_path),
        Skipped(str(tmp_path / "pipe.png"), "not a regular file"),
        str(good),
    ]
    answers = list(predict_files(run, files))
    assert [answer.error is None for answer in answers] == [False, True, *[False] * 4, True]
    assert answers[5].error == "not a regular file"
    for answer in answers:
        if answer.error is not None:
            assert answer == Answer(answer.file, error=answer.error)
            assert list(answer.as_dict().values())[1:5] == [None] * 4
    assert answers[1] == answers[6]


def test_many_files_are_answered_as_one_by_one_and_in_order(run: Run, tmp_path: Path) -> None:
    n = 2 * SERIAL_BELOW + 5
    files = [str(write_image(tmp_path / f"{i}.png", i)) for i in range(n)]
    Path(files[40]).write_text("no image")
    many = list(predict_files(run, files))
    one_by_one = [next(iter(predict_files(run, [file]))) for file in files]
    assert [answer.file for answer in many] == files
    assert [answer.error for answer in many] == [answer.error for answer in one_by_one]
    for answer, alone in zip(many, one_by_one, strict=True):
        assert answer.class_name == alone.class_name
        assert answer.probability == pytest.approx(alone.probability, abs=1e-6)
    assert len({answer.probability for answer in many}) > n / 2


@pytest.mark.parametrize("n", [1, SERIAL_BELOW + 3], ids=["one_file", "many_files"])
@pytest.mark.parametrize("where", [0.0, 0.5, 0.999])
def test_fault_40_flipped_bit_is_corrupt(run: Run, tmp_path: Path, where: float, n: int) -> None:
    content = bytearray(run.litert_model.read_bytes())
    content[int(where * len(content))] ^= 1
    run.litert_model.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"model\.tflite: corrupt"):
        list(predict_files(run, [str(write_image(tmp_path / "a.png", 0))] * n))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.99])
def test_fault_40_truncated_model_is_corrupt(run: Run, share: float) -> None:
    content = run.litert_model.read_bytes()
    run.litert_model.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ArtifactError, match=r"model\.tflite: corrupt"):
        Predictor.load(run)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\x89HDF\r\n\x1a\n" + bytes(100), id="h5"),
        pytest.param(b"no model", id="text"),
        pytest.param(b"", id="empty"),
        pytest.param(keras_bytes(make_model(3)), id="keras"),
        pytest.param(bytes(4) + b"TFL3", id="head_of_litert_alone"),
    ],
)
def test_fault_41_other_formats_are_refused_before_a_parser_sees_them(
    run: Run, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.litert_model.write_bytes(content)

    def parse(*args: object, **kwargs: object) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr(inference, "Interpreter", parse)
    with pytest.raises(ArtifactError, match="corrupt"):
        Predictor.load(run)


def test_fault_41_text_whose_hash_was_recorded_is_no_model(run: Run, litert: bytes) -> None:
    run.litert_model.write_text("no model")
    run.model_record.write_text(make_record(b"no model", *NAMES).to_json())
    with pytest.raises(ArtifactError, match=r"model\.tflite: the model is not a LiteRT model"):
        Predictor.load(run)


@pytest.mark.parametrize("artefact", ["litert_model", "model_record"])
def test_fault_41_missing_file_is_named(run: Run, artefact: str) -> None:
    path: Path = getattr(run, artefact)
    path.unlink()
    with pytest.raises(ArtifactError) as error:
        Predictor.load(run)
    assert str(error.value).startswith(str(path))


def test_fault_43_newer_format_shows_both_versions(run: Run) -> None:
    content = json.loads(run.model_record.read_text())
    run.model_record.write_text(json.dumps({**content, "format_version": 3}))
    with pytest.raises(ArtifactError, match="format_version is 3; this version reads 2"):
        Predictor.load(run)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"preprocessing": Preprocessing(image_size=(8, 9))}, id="image_size"),
        pytest.param(
            {"preprocessing": Preprocessing(image_size=(9, 8), color_mode="rgb")}, id="channels"
        ),
        pytest.param({"class_names": (*NAMES, "fig")}, id="class_count"),
    ],
)
def test_fault_44_model_that_does_not_fit_its_record_is_refused(
    run: Run, litert: bytes, change: dict[str, object]
) -> None:
    record = replace(make_record(litert, *NAMES), **change)  # type: ignore[arg-type]
    run.model_record.write_text(record.to_json())
    with pytest.raises(ArtifactError, match=r"model\.tflite: the model takes images of shape"):
        Predictor.load(run)


def test_answers_that_overflow_are_an_error_and_no_nan() -> None:
    content = litert_bytes(make_model(3, scale=3e38))
    predictor = Predictor(make_record(content, *NAMES), content)
    with pytest.raises(ArtifactError, match="overflow"):
        predictor.predict(PIXELS[:3])
