import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apple_clf.errors import ArtifactError, ConfigError, DataError
from apple_clf.explanation import Explanation, explain
from apple_clf.explanation.narration import tell
from apple_clf.explanation.page import draw_page, steps_in_lines
from apple_clf.explanation.record import Nearest, Neighbour
from apple_clf.images import loading
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.prediction.inference import predict_files
from apple_clf.runs import Run
from explanation.models import MODELS, NAMES, PICTURE, convolutional, dense, write_run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("runs")
    return {name: write_run(folder / name, build()) for name, build in MODELS.items()}


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file in a folder that is named like a class."""
    folder = tmp_path_factory.mktemp("pictures") / "pear"
    folder.mkdir()
    Image.fromarray(PICTURE[..., 0]).save(folder / "one.png")
    return str(folder / "one.png")


@pytest.fixture(scope="module")
def explanations(runs: dict[str, Run], picture: str) -> dict[str, Explanation]:
    return {name: explain(run, picture) for name, run in runs.items()}


@pytest.mark.parametrize("name", MODELS)
def test_numbers_are_those_of_predict_to_the_last_digit(
    runs: dict[str, Run], explanations: dict[str, Explanation], picture: str, name: str
) -> None:
    (answer,) = predict_files(runs[name], [picture])
    explanation = explanations[name]
    assert explanation.answer == answer.as_dict()
    rows = explanation.decision.softmax
    assert {row.class_name: row.probability for row in rows} == answer.probabilities
    powers = np.array([row.power for row in rows])
    np.testing.assert_allclose(powers / powers.sum(), [row.probability for row in rows], atol=1e-7)
    logits = np.array([row.logit for row in rows])
    np.testing.assert_allclose(logits / 1.7, [row.scaled for row in rows])


@pytest.mark.parametrize("name", MODELS)
def test_sums_agree_with_the_logit_that_predict_uses(
    explanations: dict[str, Explanation], name: str
) -> None:
    explanation = explanations[name]
    row = explanation.decision.softmax[explanation.output.unit]
    assert row.class_name == explanation.answer["class"]
    assert explanation.output.total == pytest.approx(row.logit, abs=1e-4)
    assert explanation.attribution.logit == pytest.approx(row.logit, abs=1e-4)
    assert explanation.attribution.error <= 0.01


def test_folder_named_like_a_class_is_the_label(explanations: dict[str, Explanation]) -> None:
    explanation = explanations["dense"]
    assert explanation.label == "pear"
    assert explanation.backward is not None
    assert explanation.backward.label == "pear"


def test_label_that_is_asked_for_wins(runs: dict[str, Run], picture: str) -> None:
    backward = explain(runs["softmax regression"], picture, label="plum").backward
    assert backward is not None
    assert backward.label == "plum"


def test_without_a_label_nothing_flows_back(runs: dict[str, Run], tmp_path: Path) -> None:
    Image.fromarray(PICTURE[..., 0]).save(tmp_path / "one.png")
    explanation = explain(runs["softmax regression"], str(tmp_path / "one.png"))
    assert explanation.label is None
    assert explanation.backward is None
    assert "BACKWARD" not in "\n".join(tell(explanation))


def test_unknown_label_is_refused(runs: dict[str, Run], picture: str) -> None:
    with pytest.raises(ConfigError, match=r"'cherry' is not a class.*apple, pear, plum"):
        explain(runs["dense"], picture, label="cherry")


def test_neuron_that_is_asked_for_is_told(runs: dict[str, Run], picture: str) -> None:
    neuron = explain(runs["dense"], picture, layer="dense_4", unit=2).neuron
    assert (neuron.layer, neuron.unit) == ("dense_4", 2)


def test_file_that_is_no_picture_is_refused_with_its_name(
    runs: dict[str, Run], tmp_path: Path
) -> None:
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(DataError, match=r"text\.png: "):
        explain(runs["dense"], str(tmp_path / "text.png"))


def test_changed_keras_file_is_refused(picture: str, tmp_path: Path) -> None:
    run = write_run(tmp_path / "changed", dense())
    run.keras_model.write_bytes(run.keras_model.read_bytes() + b" ")
    with pytest.raises(ArtifactError, match="SHA-256"):
        explain(run, picture)


def test_training_images_that_are_gone_are_told_and_the_rest_goes_on(
    explanations: dict[str, Explanation],
) -> None:
    explanation = explanations["dense"]
    assert explanation.nearest is None
    (note,) = explanation.notes
    assert note.startswith("No training images to compare with: ")
    assert list(tell(explanation))[-1] == note


@pytest.mark.parametrize("name", MODELS)
def test_json_holds_everything_and_is_json(explanations: dict[str, Explanation], name: str) -> None:
    explanation = explanations[name]
    content = json.loads(json.dumps(explanation.as_dict(), allow_nan=False))
    assert content["pixels"] == PICTURE.tolist()
    assert content["attribution"]["error"] == explanation.attribution.error
    assert len(content["layers"]) == len(explanation.layers)
    assert content["output"]["total"] == explanation.output.total


def test_numbers_that_json_does_not_know_are_null(explanations: dict[str, Explanation]) -> None:
    explanation = explanations["dense"]
    odd = replace(explanation, attribution=replace(explanation.attribution, logit=float("inf")))
    content = json.loads(json.dumps(odd.as_dict(), allow_nan=False))
    assert content["attribution"]["logit"] is None


@pytest.mark.parametrize("name", MODELS)
def test_text_tells_every_chapter_in_lines_that_fit(
    explanations: dict[str, Explanation], name: str
) -> None:
    text = "\n".join(tell(explanations[name]))
    for chapter in ("PICTURE", "FORWARD", "NEURON", "ADDS UP", "SOFTMAX", "BACKWARD", "WHERE"):
        assert re.search(rf"^[A-Z ]*{chapter}", text, re.MULTILINE), chapter
    for view in explanations[name].layers:
        assert f"{view.number}. {view.name} ({view.kind})" in text


def test_products_in_the_text_add_up(explanations: dict[str, Explanation]) -> None:
    text = "\n".join(tell(explanations["dense"]))
    chapter = text.partition("WHAT ADDS UP")[2].partition("predict computes")[0]
    numbers = [float(line.split()[-1]) for line in chapter.splitlines()[2:] if line.strip()]
    *parts, logit = numbers
    assert len(parts) == 6  # five units and the bias
    assert sum(parts) == pytest.approx(logit, abs=0.005)


def test_unsure_answer_is_told_first(explanations: dict[str, Explanation]) -> None:
    doubted = unsure(explanations["dense"])
    first, *rest = tell(doubted)
    answer = doubted.answer
    assert first == (
        f"{answer['file']}: I don't know: unlike anything it was trained on; "
        f"closest class: {answer['class']} {answer['probability']:.3f}"
    )
    assert 'Novelty 9, limit 3: above it, so the answer is "I don\'t know".' in "\n".join(rest)


def unsure(explanation: Explanation) -> Explanation:
    return replace(
        explanation,
        answer={**explanation.answer, "unsure": True},
        decision=replace(explanation.decision, unsure=True, novelty=9.0, novelty_threshold=3.0),
    )


def test_page_of_an_unsure_answer_has_no_coloured_bar(
    explanations: dict[str, Explanation],
) -> None:
    def colours_of_the_answer(explanation: Explanation) -> set[tuple[int, ...]]:
        page = Image.open(io.BytesIO(draw_page(explanation))).convert("RGB")
        bars = np.asarray(page)[62 + 28 : 62 + 28 + 236, 540:780].reshape(-1, 3)
        return {tuple(colour) for colour in bars.tolist()}

    orange = (213, 94, 0)
    assert orange in colours_of_the_answer(explanations["dense"])
    assert all(r == g == b for r, g, b in colours_of_the_answer(unsure(explanations["dense"])))


STEPS = ("paper found", "light flattened", "3 ruled lines removed")


def test_steps_of_the_reading_are_told_drawn_and_in_the_json(
    explanations: dict[str, Explanation],
) -> None:
    plain = explanations["dense"]
    read = replace(plain, steps=STEPS)
    told = "  How the drawing was read: paper found; light flattened; 3 ruled lines removed."
    assert [line for line in tell(read) if line not in set(tell(plain))] == [told]
    assert read.as_dict()["steps"] == list(STEPS)
    heights = [Image.open(io.BytesIO(draw_page(each))).height for each in (plain, read)]
    assert heights[1] > heights[0]


def test_many_steps_are_drawn_in_lines_that_fit() -> None:
    lines = steps_in_lines(STEPS * 6)
    assert len(lines) > 1
    assert max(map(len, lines)) <= 120
    assert " · ".join(STEPS * 6) in " ".join(lines)


def test_steps_are_those_of_the_loaded_picture(
    runs: dict[str, Run], picture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, loads = loading.load, []

    def reading(source: str, contract: Preprocessing) -> loading.Loaded:
        loads.append(source)
        return replace(load(source, contract), steps=STEPS)

    monkeypatch.setattr(loading, "load", reading)
    assert explain(runs["softmax regression"], picture).steps == STEPS
    assert loads == [picture]  # once for the answer and what happens inside


def with_neighbours(explanation: Explanation) -> Explanation:
    neighbours = tuple(Neighbour(f"{i}.png", NAMES[i % 3], i / 7, PICTURE) for i in range(8))
    return replace(explanation, nearest=Nearest(100, 3.0, neighbours), notes=())


@pytest.mark.parametrize("name", MODELS)
def test_page_is_a_picture_800_wide_and_the_same_each_time(
    explanations: dict[str, Explanation], name: str
) -> None:
    explanation = explanations[name]
    page = draw_page(explanation)
    assert Image.open(io.BytesIO(page)).width == 800
    assert page == draw_page(explanation)
    higher = Image.open(io.BytesIO(draw_page(with_neighbours(explanation)))).height
    assert higher > Image.open(io.BytesIO(page)).height


def test_page_shows_the_picture_as_the_network_sees_it(
    explanations: dict[str, Explanation],
) -> None:
    page = np.asarray(Image.open(io.BytesIO(draw_page(explanations["dense"]))).convert("L"))
    side = 236
    top, left = 62 + 28, 20
    height = side
    width = side * 6 // 7
    for row in range(7):
        for column in range(6):
            y, x = top + (2 * row + 1) * height // 14, left + (2 * column + 1) * width // 12
            assert page[y, x] == PICTURE[row, column, 0]


@pytest.mark.parametrize("change", ["pear$", "p\n\x1b[31m", "果" * 300], ids=["$", "esc", "long"])
def test_hostile_names_are_told_and_drawn(
    explanations: dict[str, Explanation], change: str
) -> None:
    explanation = explanations["dense"]
    hostile = replace(
        explanation,
        answer={**explanation.answer, "class": change, "file": change},
        label=change,
    )
    assert draw_page(hostile)
    assert all(line.isprintable() for line in tell(hostile))


def test_two_classes_tell_their_threshold(tmp_path: Path, picture: str) -> None:
    from apple_clf.model.backend import keras

    model = convolutional()
    outputs = keras.layers.Dense(2, activation="softmax", name="output")
    two = keras.Model(model.inputs, outputs(model.get_layer("output").input))
    explanation = explain(write_run(tmp_path / "two", two, class_names=NAMES[:2]), picture)
    assert explanation.decision.threshold == 0.5
    assert "apple is answered from 0.5 on, so the answer is" in "\n".join(tell(explanation))


def test_real_drawing_adds_up(shared_data: Path, tmp_path: Path) -> None:
    """The promise of the command, on a drawing that people made."""
    from apple_clf.config.schema import ModelConfig
    from apple_clf.model.backend import keras
    from apple_clf.model.building import build_model
    from apple_clf.runs.model_record import read_model_record

    keras.utils.set_random_seed(4)
    model = build_model(ModelConfig(), input_shape=(28, 28, 1), n_classes=2)
    run = write_run(tmp_path / "real", model, class_names=("apple", "not_apple"))
    record = replace(read_model_record(run.model_record), preprocessing=Preprocessing())
    run.model_record.write_text(record.to_json())
    drawings = sorted((shared_data / "quickdraw" / "test" / "apple").glob("*.png"))[:3]
    assert drawings
    for drawing in drawings:
        explanation = explain(run, str(drawing))
        logit = explanation.decision.softmax[explanation.output.unit].logit
        assert explanation.output.total == pytest.approx(logit, abs=1e-4)
        assert explanation.attribution.error <= 0.01
        assert explanation.label == "apple"
