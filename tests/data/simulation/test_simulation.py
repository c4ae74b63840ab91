import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from apple_clf.arrays import FloatArray, UInt8Array
from apple_clf.data.simulation import CLASS_NAMES, KINDS, Simulated, noise, simulate, simulated
from apple_clf.data.simulation.shapes import Points

SIZES = [(8, 8), (28, 28), (64, 64), (20, 36), (37, 9), (1, 1)]


@pytest.fixture(scope="module")
def drawn() -> Simulated:
    return simulate(1200, image_size=(28, 28), seed=5)


def _ground(images: UInt8Array) -> FloatArray:
    """What each picture's border mostly is."""
    border = np.concatenate(
        [images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1
    )
    ground: FloatArray = np.median(border, axis=1)
    return ground


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_pictures_have_the_size_that_was_asked_for(size: tuple[int, int]) -> None:
    drawn = simulate(30, image_size=size, seed=0)
    assert drawn.images.shape == (30, *size)
    assert drawn.images.dtype == np.uint8
    assert drawn.labels.dtype == np.int32


@pytest.mark.parametrize("n", [0, 1])
def test_few_pictures_can_be_drawn(n: int) -> None:
    drawn = simulate(n, image_size=(9, 8), seed=0)
    assert drawn.images.shape == (n, 9, 8)
    assert drawn.labels.shape == (n,)
    assert len(drawn.kinds) == n


def test_label_agrees_with_kind(drawn: Simulated) -> None:
    assert [CLASS_NAMES[label] == "apple" for label in drawn.labels] == [
        kind == "apple" for kind in drawn.kinds
    ]


def test_all_kinds_are_drawn_in_fixed_shares(drawn: Simulated) -> None:
    counts = {kind: drawn.kinds.count(kind) for kind in KINDS}
    assert counts == dict.fromkeys(KINDS, 50) | {"apple": 600, "clutter": 300}


def test_order_is_random(drawn: Simulated) -> None:
    assert 250 < drawn.labels[:600].sum() < 350


@given(n=st.integers(0, 40), fraction=st.floats(0, 1))
def test_share_of_apples_is_exact(n: int, fraction: float) -> None:
    drawn = simulate(n, image_size=(2, 2), seed=0, apple_fraction=fraction)
    assert drawn.kinds.count("apple") == round(n * fraction)


def test_same_seed_draws_the_same(drawn: Simulated) -> None:
    again = simulate(1200, image_size=(28, 28), seed=5)
    np.testing.assert_array_equal(drawn.images, again.images)
    assert drawn.kinds == again.kinds


@pytest.mark.parametrize("seed", [1, [0, 1], [1, 0]], ids=str)
def test_another_seed_draws_other_pictures(seed: int | list[int]) -> None:
    first, second = (simulate(20, image_size=(16, 16), seed=s) for s in (0, seed))
    assert (first.images != second.images).any(axis=(1, 2)).all()


def test_no_two_pictures_are_equal(drawn: Simulated) -> None:
    assert len({image.tobytes() for image in drawn.images}) == len(drawn.images)


@pytest.mark.parametrize("pixels", [1, 5 * 144, 7 * 144 + 1])
def test_pictures_do_not_depend_on_how_many_are_drawn_at_a_time(
    pixels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = simulate(24, image_size=(12, 12), seed=3).images
    monkeypatch.setattr(simulated, "_CHUNK_PIXELS", pixels)
    in_chunks = simulate(24, image_size=(12, 12), seed=3).images.astype(int)
    # The last bit of a sine may depend on its place in an array, and with it one rounding.
    np.testing.assert_allclose(in_chunks, at_once, atol=1)


@pytest.mark.parametrize("label", [0, 1], ids=CLASS_NAMES)
def test_both_polarities_are_equally_likely_in_each_class(drawn: Simulated, label: int) -> None:
    is_dark = _ground(drawn.images[drawn.labels == label]) < 128
    assert 0.42 < is_dark.mean() < 0.58


def test_nearly_all_pictures_have_strong_contrast(drawn: Simulated) -> None:
    flat = drawn.images.reshape(1200, -1).astype(int)
    assert (np.ptp(flat, axis=1) > 80).mean() > 0.99


def test_drawings_keep_away_from_the_border(drawn: Simulated) -> None:
    away = np.abs(drawn.images - _ground(drawn.images)[:, None, None])
    assert away[:, 8:20, 8:20].mean() > 4 * away[:, [0, -1]].mean()


def test_classes_can_be_told_apart_by_a_linear_model(drawn: Simulated) -> None:
    away = np.abs(drawn.images - _ground(drawn.images)[:, None, None]).reshape(1200, -1) / 255
    model = LogisticRegression(C=0.01, max_iter=500).fit(away[:800], drawn.labels[:800])
    assert model.score(away[800:], drawn.labels[800:]) > 0.65


def test_same_drawing_looks_the_same_at_twice_the_size() -> None:
    small, large = (simulate(60, image_size=(s, s), seed=2).images.astype(float) for s in (32, 64))
    halved = large.reshape(60, 32, 2, 32, 2).mean(axis=(2, 4))
    correlation = [
        np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(small, halved, strict=True)
    ]
    assert np.median(correlation) > 0.97


def _outline(*corners: complex) -> Points:
    return np.array([corners])


def test_area_of_a_rectangle_is_exact_in_every_pixel() -> None:
    corners = _outline(1.25 + 1.5j, 3.5 + 1.5j, 3.5 + 3.75j, 1.25 + 3.75j)
    cover = simulated._area(corners, np.zeros((1, 5, 5)))[0]
    expected = np.outer([0, 0.5, 1, 0.75, 0], [0, 0.75, 1, 0.5, 0])
    np.testing.assert_allclose(cover, expected, atol=1e-12)


@pytest.mark.parametrize("direction", [1, -1], ids=["clockwise", "counterclockwise"])
def test_area_of_an_ellipse_is_pi_a_b(direction: int) -> None:
    angle = np.linspace(0, 2 * np.pi * direction, 200)
    ellipse = (10.3 + 9.1j + 7 * np.cos(angle) + 4j * np.sin(angle))[None]
    cover = simulated._area(ellipse, np.zeros((1, 20, 20)))
    assert cover.sum() == pytest.approx(np.pi * 7 * 4, rel=2e-3)


def test_area_beyond_the_frame_is_cut_off() -> None:
    corners = _outline(-7 - 7j, 3 - 7j, 3 + 40j, -7 + 40j)
    cover = simulated._area(corners, np.zeros((1, 4, 6)))[0]
    np.testing.assert_allclose(cover, np.outer(np.ones(4), [1, 1, 1, 0, 0, 0]), atol=1e-12)


def test_missing_part_leaves_no_trace() -> None:
    missing = np.full((1, 4), np.nan + 0j)
    grain = np.zeros((1, 4, 4))
    assert simulated._area(missing, grain).max() == 0
    assert simulated._ink([missing], np.ones((1, 1)), grain).max() == 0


@pytest.mark.parametrize("radius", [0.5, 1.0, 2.3])
def test_ink_of_a_line_is_as_wide_as_the_pen(radius: float) -> None:
    line = _outline(5 + 10j, 25 + 10j)
    cover = simulated._ink([line], np.array([[radius]]), np.zeros((1, 20, 30)))[0]
    np.testing.assert_allclose(cover[:, 8:22].sum(axis=0), 2 * radius, atol=0.15)
    assert cover[:, 8:22].max() <= 1
    assert cover[:, :2].max() == 0


def test_noise_takes_every_value_equally_often() -> None:
    images, labels = noise(400, image_size=(16, 16), seed=0)
    counts = np.bincount(images.ravel(), minlength=256)
    assert counts.shape == (256,)
    statistic = ((counts - 400) ** 2 / 400).sum()
    assert 180 < statistic < 345  # the chi-squared distribution with 255 degrees, 0.0002 each side
    assert labels.dtype == np.int32
    assert 150 < labels.sum() < 250
    assert set(labels) == {0, 1}


def test_noise_depends_on_the_seed_alone() -> None:
    first, again, other = (noise(5, image_size=(4, 6), seed=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])
    assert first[0].shape == (5, 4, 6)
    assert (first[0] != other[0]).any()


@pytest.mark.parametrize("make", [simulate, noise])
@pytest.mark.parametrize(
    ("n", "size", "seed"),
    [
        pytest.param(-1, (8, 8), 0, id="negative-n"),
        pytest.param(1, (0, 8), 0, id="no-height"),
        pytest.param(1, (8, -1), 0, id="negative-width"),
        pytest.param(1, (8,), 0, id="one-side"),
        pytest.param(1, (8, 8, 3), 0, id="three-sides"),
        pytest.param(1, (8, 8), -1, id="negative-seed"),
    ],
)
def test_bad_arguments_are_refused(make, n, size, seed) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"must be|non-negative"):
        make(n, image_size=size, seed=seed)


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan")])
def test_share_of_apples_outside_0_to_1_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="apple_fraction must be 0 to 1"):
        simulate(1, image_size=(8, 8), seed=0, apple_fraction=fraction)


def test_line_drawings_are_strokes_on_plain_ground_and_the_others_are_not() -> None:
    def share_of_ground(line_drawings: float) -> float:
        images = simulate(60, image_size=(28, 28), seed=7, line_drawings=line_drawings).images
        borders = np.median(images[:, 0], axis=1)[:, None, None]
        return float(np.mean(np.abs(images.astype(int) - borders) < 24))

    assert share_of_ground(1.0) > 0.7 > share_of_ground(0.0)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_share_of_line_drawings_beyond_its_range_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="line_drawings must be 0 to 1"):
        simulate(1, image_size=(8, 8), seed=0, line_drawings=share)
