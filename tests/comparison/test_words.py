import re
from pathlib import Path

from apple_clf.comparison.compare import compare
from apple_clf.comparison.words import tell, verdict
from comparison.made_up import make_run

OTHER = "training.batch_size=8"


def test_better_is_said_with_how_much_and_how_sure(tmp_path: Path) -> None:
    runs = [
        make_run(tmp_path / "blog-001", errors=range(40)),
        make_run(tmp_path / "quickdraw-002", OTHER, errors=range(10, 20)),
    ]
    for order in (runs, runs[::-1]):
        (pair,) = compare(order).pairs
        assert re.fullmatch(
            r"quickdraw-002 is better than blog-001 by 0\.150 balanced accuracy "
            r"\[0\.0\d\d,\s0\.2\d\d\], p\s<\s0\.0001 on the same 200 images\.",
            verdict(pair),
        )


def test_what_may_be_chance_is_called_so(tmp_path: Path) -> None:
    runs = [
        make_run(tmp_path / "a", errors=range(9)),
        make_run(tmp_path / "c", OTHER, errors=range(6, 14)),
    ]
    assert re.fullmatch(
        r"c and a are indistinguishable at n = 200: the difference of 0\.005 balanced accuracy "
        r"\[-0\.0\d\d,\s0\.0\d\d\], p\s=\s0\.\d{3}, may be chance\.",
        verdict(compare(runs).pairs[0]),
    )


def told(*arguments: object) -> str:
    lines = list(tell(compare(arguments)))  # type: ignore[arg-type] # runs, made by each test
    assert max(map(len, lines)) <= 80
    assert "\N{NO-BREAK SPACE}" not in "".join(lines)
    return re.sub(r"\s+", " ", "\n".join(lines))


def test_different_images_are_warned_of(tmp_path: Path) -> None:
    other = make_run(tmp_path / "b", OTHER, n=100, fingerprint="other", source="simulated")
    text = told(make_run(tmp_path / "a"), other)
    assert "Warning: where networks were judged on different images" in text
    assert "n = 200 and 100 different images" in text
    assert "source folder simulated" in text


def test_other_classes_are_told(tmp_path: Path) -> None:
    other = make_run(tmp_path / "b", OTHER, class_names=("apple", "pear", "plum"))
    text = told(make_run(tmp_path / "a"), other)
    assert "do not even answer the same question" in text


def test_one_class_is_no_comparison(tmp_path: Path) -> None:
    text = told(make_run(tmp_path / "a", n=1), make_run(tmp_path / "b", OTHER, n=1))
    assert "cannot be compared: balanced accuracy is undefined" in text


def test_seeds_and_corrections_are_explained(tmp_path: Path) -> None:
    seeds = [make_run(tmp_path / f"a{s}", f"seed={s}", errors=[s]) for s in (1, 2)]
    others = [
        make_run(tmp_path / f"b{k}", f"training.batch_size={k}", errors=[k]) for k in (4, 5, 6)
    ]
    text = told(*seeds, *others)
    assert "corrected for 3 comparisons (Holm)" in text
    assert "an interval over the seeds (Student's t)" in text
    assert "A single run is taken to depend on its seed" in text
    assert "a1 (2 seeds): a1, a2" in text
    assert "Single networks are compared" not in text
    assert "training.batch_size 32 4 5" in text  # three columns at a time
    assert "training.batch_size 6" in text


def test_long_values_stand_below_the_table(tmp_path: Path) -> None:
    layers = ", ".join(["{type: dense, units: 100, activation: relu}"] * 9)
    text = told(
        make_run(tmp_path / "a"),
        make_run(tmp_path / "b", f"model.layers=[{layers}, {{type: dropout, rate: 0.5}}]"),
    )
    assert "Experiment model.layers a: dense" in text
    assert "b: dense 100 relu, dense 100 relu," in text


def test_long_keys_are_broken_before_their_last_word(tmp_path: Path) -> None:
    text = told(
        make_run(tmp_path / "a"),
        make_run(tmp_path / "b", "training.learning_rate={type: cosine, initial: 0.1}"),
    )
    assert "training.learning_rate - 0.0 .final_fraction" in text


def test_imported_models_are_warned_of(tmp_path: Path) -> None:
    run = make_run(tmp_path / "b")
    run.imported.write_text("{}")
    assert "may have learnt from these images" in told(make_run(tmp_path / "a"), run)
