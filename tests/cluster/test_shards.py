"""Shards answered in this process: no cluster is needed."""

import json
from pathlib import Path

import pytest
from cli.conftest import Cli

from apple_clf.cluster.plan import asked_for, manifest_of, opened_plan
from apple_clf.cluster.shards import answer_shard, count
from apple_clf.cluster.surroundings import surroundings
from apple_clf.prediction.inference import read_model
from apple_clf.runs import Run


@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
def test_shards_hold_what_predict_answers(
    cli: Cli, run: Run, pictures: Path, tmp_path: Path, format_: str
) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    images = [str(path) for path in sorted(pictures.rglob("*.png"))] + [str(bad)]
    model = read_model(run)
    asked = asked_for(images, model[0], format_=format_, shard_size=7)  # type: ignore[arg-type]  # one of two
    with opened_plan(tmp_path / "out", asked, images) as plan:
        here = surroundings(plan.folder, own=manifest_of(plan.out))
        for shard in plan.shards:
            answer_shard(shard, here, model)
        counts = [count(shard.path) for shard in plan.shards]
        first = [shard.path.read_bytes() for shard in plan.shards]
        for shard in plan.shards:
            answer_shard(shard, here, model)  # as a second attempt would
        assert [shard.path.read_bytes() for shard in plan.shards] == first

    assert counts == [(7, 0), (7, 0), (7, 0), (4, 1)]
    printed = cli("predict", *images, "--run", run.path, "--format", "jsonl").out
    if format_ == "jsonl":
        assert b"".join(first).decode() == printed
    else:
        pq = pytest.importorskip("pyarrow.parquet")
        rows = [row for shard in plan.shards for row in pq.read_table(shard.path).to_pylist()]
        assert rows == [json.loads(line) for line in printed.splitlines()]
