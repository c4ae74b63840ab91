import json
from pathlib import Path

import pytest

from apple_clf.comparison.compare import JUDGED_BY, compare
from apple_clf.errors import ArtifactError, ConfigError
from apple_clf.runs import Run
from comparison.made_up import make_run

BAD, GOOD = range(40), range(10, 20)
OTHER = "training.batch_size=8"


def test_clear_difference_on_the_same_images_is_told(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / "a", errors=BAD), make_run(tmp_path / "b", OTHER, errors=GOOD)]
    (pair,) = compare(runs).pairs
    assert (pair.outcome, pair.same_images) == ("better", True)
    assert pair.differences[JUDGED_BY].value == pytest.approx(0.15)
    (back,) = compare(runs[::-1]).pairs
    assert back.outcome == "worse"
    assert back.differences[JUDGED_BY].p == pair.differences[JUDGED_BY].p


def test_pairing_finds_what_independent_samples_hide(tmp_path: Path) -> None:
    few, more = range(20), range(34)  # the second errs wherever the first does
    same = [make_run(tmp_path / "a", errors=few), make_run(tmp_path / "b", OTHER, errors=more)]
    assert compare(same).pairs[0].outcome == "worse"
    other = make_run(
        tmp_path / "c", OTHER, errors=more, files="others/{:03d}.png", fingerprint="other"
    )
    (pair,) = compare([same[0], other]).pairs
    assert (pair.outcome, pair.same_images) == ("indistinguishable", False)


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({"fingerprint": "other"}, True),  # other training images, say
        ({"fingerprint": "other", "reverse": True}, True),
        ({"files": "moved/{:03d}.png"}, True),
        ({"fingerprint": "other", "files": "moved/{:03d}.png"}, False),
        ({"fingerprint": "other", "source": "simulated"}, False),
        ({"fingerprint": "other", "n": 198}, False),
        ({"fingerprint": "other", "files": "one.png"}, False),
        ({"fingerprint": "other", "class_names": ("apple", "pear")}, False),
    ],
    ids=str,
)
def test_the_same_images_are_known_by_data_or_by_name(
    tmp_path: Path, changes: dict[str, object], same: bool
) -> None:
    first = make_run(tmp_path / "a", errors=BAD)
    second = make_run(tmp_path / "b", OTHER, errors=GOOD, **changes)  # type: ignore[arg-type] # mixed
    (pair,) = compare([first, second]).pairs
    assert pair.same_images is same
    assert pair.outcome == "better"


def test_another_order_of_the_same_files_changes_nothing(tmp_path: Path) -> None:
    first = make_run(tmp_path / "a", errors=BAD)
    second = make_run(tmp_path / "b", OTHER, errors=GOOD)
    turned = make_run(tmp_path / "c", OTHER, errors=GOOD, reverse=True, fingerprint="other")
    plain, reverse = (compare([first, other]).pairs[0] for other in (second, turned))
    assert plain.differences["accuracy"] == reverse.differences["accuracy"]


def test_runs_that_differ_in_the_seed_alone_are_one_group(tmp_path: Path) -> None:
    runs = [
        *(make_run(tmp_path / f"a{s}", f"seed={s}", errors=range(s, s + 40)) for s in (1, 2, 3)),
        *(make_run(tmp_path / f"b{s}", OTHER, f"seed={s}", errors=range(s, 2 * s)) for s in (1, 2)),
    ]
    found = compare(runs)
    assert [group.label for group in found.groups] == ["a1 (3 seeds)", "b1 (2 seeds)"]
    assert found.experiment == {"training.batch_size": (32, 8)}
    assert found.groups[0].metrics["accuracy"].method == "t over seeds"
    assert found.pairs[0].differences[JUDGED_BY].test == "t"


def test_two_seeds_alone_are_compared_as_they_are(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / str(s), f"seed={s}", errors=range(s, s + 9)) for s in (1, 2)]
    found = compare(runs)
    assert found.experiment == {"seed": (1, 2)}
    assert found.pairs[0].outcome == "indistinguishable"


def test_many_comparisons_are_corrected(tmp_path: Path) -> None:
    first = make_run(tmp_path / "a", errors=range(20))
    others = [
        make_run(tmp_path / f"b{k}", f"training.batch_size={k}", errors=range(7)) for k in (4, 5, 6)
    ]
    found = compare([first, *others]).pairs
    p_values = [pair.differences[JUDGED_BY].p for pair in found]
    assert [pair.corrected_p for pair in found] == pytest.approx([3 * p for p in p_values])


def test_one_class_alone_leaves_balanced_accuracy_undefined(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / "a", n=1), make_run(tmp_path / "b", OTHER, n=1)]
    (pair,) = compare(runs).pairs
    assert (pair.outcome, pair.corrected_p) == ("undefined", None)
    assert list(pair.differences) == ["accuracy"]


def test_imported_run_is_compared_by_its_metrics(tmp_path: Path) -> None:
    imported = make_run(tmp_path / "stranger-001", errors=GOOD)
    imported.resolved.unlink()
    imported.history.unlink()
    imported.imported.write_text("{}")
    found = compare([make_run(tmp_path / "a", errors=BAD), imported])
    assert (found.pairs[0].outcome, found.experiment) == ("better", {})


def test_json_keeps_every_number(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / "a", errors=BAD), make_run(tmp_path / "b", OTHER, errors=GOOD)]
    content = json.loads(json.dumps(compare(runs).as_dict(), allow_nan=False))
    assert content["experiment"] == {"training.batch_size": [32, 8]}
    assert content["comparisons"][0]["differences"][JUDGED_BY]["test"] == "McNemar by class"
    assert content["groups"][1]["metrics"]["accuracy"]["value"] == 0.95


def test_runs_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    runs = [
        make_run(tmp_path / side / "apples-001", f"seed={side}", errors=GOOD) for side in ("1", "2")
    ]
    found = compare(runs)
    assert [group.label for group in found.groups] == ["1/apples-001", "2/apples-001"]


def test_a_run_named_twice_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path / "a")
    with pytest.raises(ConfigError, match="named twice"):
        compare([run, Run(tmp_path / "." / "a")])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metrics.json", "{}"),
        ("metrics.json", "["),
        ("dataset.json", None),
        ("dataset.json", '{"images": []}'),
        ("predictions.csv", None),
        ("predictions.csv", ""),
        ("predictions.csv", "file,label,class,probability,x,y\na,b,c,d,1,2\n"),
        ("resolved.yaml", "["),
        ("resolved.yaml", None),
    ],
)
def test_damaged_run_is_named_with_its_file(tmp_path: Path, name: str, content: str | None) -> None:
    runs = [make_run(tmp_path / "a"), make_run(tmp_path / "b")]
    file = runs[1].path / name
    file.unlink() if content is None else file.write_text(content)
    with pytest.raises(ArtifactError, match=rf"b: cannot be compared, as {name} cannot be read"):
        compare(runs)


def test_unfinished_run_is_told_with_the_next_step(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / "a"), make_run(tmp_path / "b")]
    runs[1].metrics.unlink()
    with pytest.raises(ArtifactError, match=r"not over.*apple-clf resume"):
        compare(runs)
