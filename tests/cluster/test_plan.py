"""Plans of shards, as files."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.cluster.plan import Asked, manifest_of, opened_plan
from apple_clf.errors import AppleClfError, ArtifactError, ConfigError, DataError, LockedError
from apple_clf.io.files import Skipped

ASKED = Asked(["/pictures"], "0" * 64, "jsonl", 2)
FILES: list[str | Skipped] = [
    "a.png",
    "b\udcff\n.png",
    Skipped("c.png", "a broken link"),
    "ä.png",
    "e.png",
]


def planned(out: Path, files: Sequence[str | Skipped], asked: Asked = ASKED) -> list[list[object]]:
    with opened_plan(out, asked, files) as plan:
        assert plan.n_images == sum(len(shard.names()) for shard in plan.shards)
        return [list(shard.names()) for shard in plan.shards]


def test_shards_hold_each_name_once_and_in_order(tmp_path: Path) -> None:
    assert planned(tmp_path, FILES) == [FILES[:2], FILES[2:4], FILES[4:]]


names = st.text(st.characters(codec=None, categories=None), min_size=1)  # lone surrogates, too


@given(st.lists(names, min_size=1), st.integers(1, 5))
def test_any_names_come_back(
    tmp_path_factory: pytest.TempPathFactory, files: list[str], size: int
) -> None:
    shards = planned(tmp_path_factory.mktemp("out"), files, replace(ASKED, shard_size=size))
    assert [name for shard in shards for name in shard] == files
    assert {len(shard) for shard in shards[:-1]} <= {size}


def test_a_plan_that_stands_is_kept_and_files_are_not_listed_again(tmp_path: Path) -> None:
    before = planned(tmp_path, FILES)

    listing = iter(["other.png"])
    with opened_plan(tmp_path, ASKED, listing) as plan:
        assert [shard.names() for shard in plan.shards] == before
    assert next(listing) == "other.png"


@pytest.mark.parametrize(
    "other",
    [
        replace(ASKED, images=["/others"]),
        replace(ASKED, model="1" * 64),
        replace(ASKED, format="parquet"),
        replace(ASKED, shard_size=3),
    ],
    ids=["images", "model", "format", "shard_size"],
)
def test_another_question_is_refused(tmp_path: Path, other: Asked) -> None:
    planned(tmp_path, FILES)
    with pytest.raises(ConfigError, match="begun with another"):
        planned(tmp_path, FILES, other)


@pytest.mark.parametrize("name", ["_files", "_manifest.json"])
@pytest.mark.parametrize("damage", [b"", b"{}", b"x"])
def test_a_damaged_plan_is_refused(tmp_path: Path, name: str, damage: bytes) -> None:
    planned(tmp_path, FILES)
    (tmp_path / name).write_bytes(damage)
    with pytest.raises(ArtifactError, match="damaged"):
        planned(tmp_path, FILES)


def test_a_newer_plan_is_refused(tmp_path: Path) -> None:
    planned(tmp_path, FILES)
    content = json.loads(manifest_of(tmp_path).read_bytes())
    manifest_of(tmp_path).write_text(json.dumps(content | {"format_version": 2}))
    with pytest.raises(ArtifactError, match="newer"):
        planned(tmp_path, FILES)


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    with pytest.raises(ConfigError, match="not empty"):
        planned(tmp_path, FILES)


def test_no_image_is_an_error_after_which_the_folder_can_be_used(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        planned(tmp_path, [])
    assert planned(tmp_path, FILES)


def test_a_listing_that_was_killed_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "_files").write_bytes(b'"x.png"\n')  # without a manifest
    assert planned(tmp_path, FILES)[0] == FILES[:2]


def test_one_command_at_a_time(tmp_path: Path) -> None:
    with opened_plan(tmp_path, ASKED, FILES), pytest.raises(LockedError):
        planned(tmp_path, FILES)


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(AppleClfError, match="cannot be written"):
        planned(tmp_path / "out", FILES)
