import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.runs.layer_statistics import (
    COLUMNS,
    N_SNAPSHOTS,
    LayerStatistics,
    WeightSnapshots,
    snapshot_epochs,
)


def make_statistics(n_epochs: int) -> LayerStatistics:
    values = np.random.default_rng(0).normal(size=(n_epochs + 1, 2, len(COLUMNS)))
    values[:, 0, 1] = np.nan
    values[0, 1, 2] = np.inf
    return LayerStatistics(("dense_1", 'a, "b"'), values.astype(np.float32))


@pytest.mark.parametrize("n_epochs", [0, 3])
def test_csv_reads_back_to_the_same_floats(n_epochs: int) -> None:
    written = make_statistics(n_epochs)
    read = LayerStatistics.from_csv(written.to_csv())
    assert read.layers == written.layers
    np.testing.assert_array_equal(read.values, written.values)


def test_csv_has_a_row_per_epoch_and_layer_with_empty_cells_for_nan() -> None:
    lines = make_statistics(1).to_csv().splitlines()
    assert lines[0] == "epoch,layer," + ",".join(COLUMNS)
    assert [line.split(",")[0] for line in lines[1:]] == ["0", "0", "1", "1"]
    assert lines[1].split(",")[3] == ""


def test_statistics_are_equal_if_all_numbers_are_and_nan_equals_nan() -> None:
    ours, other = make_statistics(3), make_statistics(3)
    assert ours == other
    other.values[2, 1, 3] += 1
    assert ours != other


def test_another_csv_is_refused() -> None:
    with pytest.raises(ValueError, match="columns"):
        LayerStatistics.from_csv("epoch,loss\n1,2\n")


@given(st.integers(0, 100_000))
def test_kept_epochs_are_few_and_hold_the_first_and_the_newest(epoch: int) -> None:
    kept = snapshot_epochs(epoch)
    assert len(kept) <= N_SNAPSHOTS
    assert (kept[0], kept[-1]) == (0, epoch)
    assert list(kept) == sorted(set(kept))


@given(st.integers(1, 100_000))
def test_kept_epochs_were_kept_before(epoch: int) -> None:
    assert set(snapshot_epochs(epoch)) <= {*snapshot_epochs(epoch - 1), epoch}


def test_kept_epochs_are_dense_at_the_start() -> None:
    assert snapshot_epochs(10) == (0, 1, 2, 3, 4, 6, 8, 10)


def test_snapshots_read_back_and_are_the_same_bytes_for_the_same() -> None:
    weights = [np.full((4, 2), i, np.float16) for i in range(3)]
    snapshots = WeightSnapshots("dense_1", (0, 1, 2), weights)
    content = snapshots.to_bytes()
    assert content == snapshots.to_bytes()
    read = WeightSnapshots.from_bytes(content)
    assert read == snapshots
    assert read != WeightSnapshots("dense_1", (0, 1, 2), weights[::-1])
    assert (read.layer, read.epochs) == ("dense_1", (0, 1, 2))
    np.testing.assert_array_equal(read.weights, weights)
    with np.load(io.BytesIO(content)) as archive:
        assert sorted(archive.files) == ["epochs", "layer", "weights"]
        assert archive["weights"].dtype == np.float16
