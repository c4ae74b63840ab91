from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from apple_clf.arrays import UInt8Array
from benchmarks.albums import Albums
from benchmarks.answers import Answers, figures
from benchmarks.bitmaps import BITMAPS, PAGE, PAGE_PEN, on_page
from benchmarks.hands import box, redrawn, thin, trace
from benchmarks.paper import CONDITIONS, make, write
from benchmarks.pens import enclosed
from benchmarks.photographs import photograph, placed
from benchmarks.real import RECIPES, conditions, goals, row
from benchmarks.scenery import view
from benchmarks.strangers import BLANKS, NOISE_SIDES, write_blank, write_noise
from benchmarks.supplies import CHOOSING, REPORTING


def ring() -> UInt8Array:
    """A closed line in the middle of 28x28 pixels, light on dark."""
    image = Image.new("L", (28, 28))
    ImageDraw.Draw(image).ellipse((4, 4, 23, 23), outline=255, width=2)
    return np.asarray(image)


def write_drawings(folder: Path, *, n: int) -> None:
    for name in ("apple", "not_apple"):
        (folder / name).mkdir(parents=True)
        for i in range(n):
            Image.fromarray(ring()).save(folder / name / f"{i}.png")


def upright(content: bytes, path: Path) -> UInt8Array:
    path.write_bytes(content)
    with Image.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("L"))


def test_a_traced_ring_is_one_round_stroke() -> None:
    (stroke,) = trace(ring())
    away = np.hypot(*stroke.T)
    assert np.hypot(*(stroke[0] - stroke[-1])) < 0.1
    assert away.max() - away.min() < 0.12


def test_crossing_lines_go_straight_on() -> None:
    image = Image.new("L", (28, 28))
    ImageDraw.Draw(image).line((3, 3, 24, 24), fill=255, width=2)
    ImageDraw.Draw(image).line((24, 3, 3, 24), fill=255, width=2)
    long = [stroke for stroke in trace(np.asarray(image)) if np.ptp(stroke, axis=0).min() > 0.8]
    assert len(long) >= 1


def test_nothing_is_traced_on_an_empty_page() -> None:
    assert trace(np.zeros((28, 28), np.uint8)) == []


def test_thin_lines_stay_where_thick_ones_were() -> None:
    mask = np.asarray(Image.fromarray(ring()).resize((112, 112))) > 96
    skeleton = thin(mask)
    assert skeleton.sum() < mask.sum() / 4
    assert not (skeleton & ~mask).any()


def test_another_hand_draws_nearly_the_same() -> None:
    strokes = trace(ring())
    again = redrawn(strokes, np.random.default_rng(0), wobble=0.01)
    low, high = box(again)
    assert not np.array_equal(again[0], strokes[0])
    assert (high - low).max() == pytest.approx(1)
    assert (high - low).min() > 0.75


@pytest.mark.parametrize("size", [1, 12], ids=["a whole line", "a gap of half the ring"])
def test_only_closed_lines_enclose(size: int) -> None:
    drawing = ring().copy()
    drawing[:, 28 - size :] = 0
    assert (enclosed(trace(drawing)).share > 0.3) == (size == 1)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_each_condition_writes_the_asked_number(condition: str, tmp_path: Path) -> None:
    write_drawings(tmp_path / "drawings", n=2)
    n = write(
        tmp_path / "out", tmp_path / "drawings", condition=condition, supplies=REPORTING,
        seed=1, n=3,
    )  # fmt: skip
    counts = [len(list((tmp_path / "out" / name).iterdir())) for name in ("apple", "not_apple")]
    assert (n, counts) == (3, [2, 1])


@pytest.mark.parametrize("condition", ["page", "fibre", "table", "coloured", "mixed"])
def test_a_seed_gives_the_same_picture_and_another_seed_another(condition: str) -> None:
    first, again, other = (
        make(ring(), condition, CHOOSING, np.random.default_rng(seed)) for seed in (3, 3, 4)
    )
    assert first == again
    assert first != other


def test_only_a_sheet_that_is_drawn_on_has_ink(tmp_path: Path) -> None:
    shares = []
    for strokes in (trace(ring()), []):
        gray = upright(
            photograph(strokes, "fibre", REPORTING, np.random.default_rng(5)), tmp_path / "a.jpg"
        )
        shares.append(np.mean(gray < 0.6 * np.median(gray)))
    assert 0.001 < shares[0] < 0.1
    assert shares[1] == 0


@pytest.mark.parametrize("seed", range(20))
def test_a_drawing_is_on_the_sheet_in_view_and_clear_of_what_is_there(seed: int) -> None:
    rng = np.random.default_rng(seed)
    seen = view(
        (750, 1000), rng, tilt=8, perspective=0.02, height=0.7, scale=1.1, shift=(0.15, -0.1)
    )
    taken = np.array([0, 0]), np.array([300, 400])
    points = np.concatenate(placed(trace(ring()), seen, [taken], rng))
    raised = np.concatenate([points, np.ones((len(points), 1))], axis=1)
    on_page = raised @ np.linalg.inv(seen.matrix).T
    on_page = on_page[:, :2] / on_page[:, 2:]
    assert ((on_page >= 0) & (on_page <= [1, 0.7])).all()
    assert ((points >= 0) & (points <= [1000, 750])).all()
    assert not (points < taken[1]).all(axis=1).any()


@pytest.mark.parametrize("seed", range(6))
def test_a_drawing_fills_a_quarter_to_four_fifths_of_the_page(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    gray = upright(photograph(trace(ring()), "fibre", REPORTING, rng), tmp_path / "a.jpg")
    columns = np.flatnonzero((gray < 0.7 * np.median(gray)).sum(axis=0) > 1)
    assert 0.15 < (columns[-1] - columns[0]) / gray.shape[1] < 0.85
    assert columns[0] > 0
    assert columns[-1] < gray.shape[1] - 1


def test_a_turned_photo_is_upright_by_its_note(tmp_path: Path) -> None:
    orientations = set()
    for seed in range(12):
        content = photograph(trace(ring()), "mixed", CHOOSING, np.random.default_rng(seed))
        (tmp_path / "a.jpg").write_bytes(content)
        with Image.open(tmp_path / "a.jpg") as image:
            orientations.add(image.getexif().get(0x0112, 1))
    assert orientations == {1, 6}


def test_a_sketch_is_as_large_as_the_page_and_as_its_lines(tmp_path: Path) -> None:
    sketch = upright(on_page(trace(ring()), CHOOSING, np.random.default_rng(0)), tmp_path / "a.png")
    assert sketch.shape == (PAGE, PAGE)
    middle = sketch[np.flatnonzero(sketch.any(axis=1)).mean().astype(int)] > 127
    starts = np.flatnonzero(np.diff(middle.astype(int)))
    assert PAGE_PEN - 2 <= starts[1] - starts[0] <= PAGE_PEN + 4


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("ink-dark-100", 0, 255), ("ink-dark-40", 153, 255), ("ink-light-60", 0, 153)],
)
def test_ink_has_the_strength_that_its_name_says(
    name: str, least: int, most: int, tmp_path: Path
) -> None:
    pixels = upright(BITMAPS[name](ring()), tmp_path / "a.png")
    assert (pixels.min(), pixels.max()) == (least, most)


def test_a_frame_is_one_dark_pixel_around_dark_lines(tmp_path: Path) -> None:
    pixels = upright(BITMAPS["framed"](ring()), tmp_path / "a.png")
    assert pixels.shape == (30, 30)
    assert not pixels[0].any()
    assert pixels[1:-1, 1].min() == 255


def test_strangers_are_noise_of_each_side_and_blank(tmp_path: Path) -> None:
    write_noise(tmp_path / "noise", seed=0)
    write_blank(tmp_path / "blank", seed=0)
    noise = [np.asarray(Image.open(path)) for path in (tmp_path / "noise").iterdir()]
    blank = [np.asarray(Image.open(path)) for path in (tmp_path / "blank").iterdir()]
    assert {pixels.shape[0] for pixels in noise} == set(NOISE_SIDES)
    assert all(len(np.unique(pixels)) > 1 for pixels in noise)
    assert len(blank) == BLANKS
    assert all(len(np.unique(pixels)) == 1 for pixels in blank)


def test_the_two_sets_share_no_ink_and_no_table() -> None:
    assert not set(CHOOSING.tables) & set(REPORTING.tables)
    assert not set(CHOOSING.fibre_colours) & set(REPORTING.fibre_colours)
    assert not set(CHOOSING.tints) & set(REPORTING.tints)


def answers(*, unsure: list[bool]) -> Answers:
    classes = ["apple", "apple", "not_apple", "apple"]
    return Answers(classes, np.array([0.99, 0.6, 0.95, 0.97]), np.array(unsure))


LABELS = ["apple", "apple", "not_apple", "not_apple"]  # the last answer is wrong


def test_a_bold_wrong_answer_counts_unless_it_is_unsure() -> None:
    sure = figures(answers(unsure=[False] * 4), LABELS)
    unsure = figures(answers(unsure=[False, True, False, True]), LABELS)
    assert sure == {
        "unsure": 0, "accuracy": 0.75, "sure": 0.75, "wrong": 0.25, "wrong_or_unsure": 0.25
    }  # fmt: skip
    assert unsure == {
        "unsure": 0.5, "accuracy": 0.75, "sure": 1.0, "wrong": 0, "wrong_or_unsure": 0.25
    }  # fmt: skip


def test_of_strangers_only_the_share_unsure_is_counted() -> None:
    assert figures(answers(unsure=[True] * 4), None) == {"unsure": 1.0}


def test_a_row_names_what_missed_its_target() -> None:
    conv = RECIPES["conv"]
    seeds = [
        {"accuracy": value, "unsure": 0.2, "sure": 0.9, "wrong": 0.01, "wrong_or_unsure": 0.02}
        for value in (0.92, 0.96)
    ]
    line = row("pencil", "conv", seeds, goals("pencil", conv, reference=0.97))
    assert "| 0.940 (0.920-0.960) |" in line
    assert line.endswith("| **missed**: unsure |")


def test_a_target_near_the_recipes_own_images_moves_with_them() -> None:
    (limit,) = [
        goal.limit
        for goal in goals("page", RECIPES["dense"], reference=0.96)
        if goal.figure == "accuracy"
    ]
    assert limit == pytest.approx(0.93)


def test_groups_and_conditions_can_be_named() -> None:
    assert conditions(["page", "mixed"], RECIPES["conv"]) == ["page", "mixed"]
    assert conditions(["ink"], RECIPES["conv"]) == [name for name in BITMAPS if "ink" in name]
    assert conditions(["page"], RECIPES["photos"]) == []
    assert "drawings" in conditions(["own", "foreign"], RECIPES["photos"])


def test_pictures_are_drawn_once(tmp_path: Path) -> None:
    write_drawings(tmp_path / "data" / "quickdraw" / "test", n=2)
    made = Albums(tmp_path, data=tmp_path / "data", split="test", seed=0, n=2)
    made.make(["framed"])
    files = made.pictures("framed")
    assert files.labels == ["apple", "not_apple"]
    before = [file.stat().st_mtime_ns for file in files.files]
    made.make(["framed"])
    assert [file.stat().st_mtime_ns for file in files.files] == before
