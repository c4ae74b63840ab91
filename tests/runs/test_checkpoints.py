import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from apple_clf.errors import FileSystemError
from apple_clf.runs.checkpoints import Checkpoints, State


def make_state(epoch: int, *, ended: bool = False) -> State:
    rng = np.random.default_rng(epoch)
    return State(
        epoch=epoch,
        ended=ended,
        history={"loss": [0.1, 1 / 3]},
        callbacks={"EarlyStopping": {"wait": 1, "best": float("inf")}},
        variables=[rng.normal(size=(2, i)).astype(np.float32) for i in range(12)],
        optimizer=[np.array(7, np.int64), np.array([3, 4], np.uint32)],
        best_weights=[np.array([[1]], np.float32)],
        statistics=[np.zeros((4, 2, 9), np.float32), np.ones((3, 2), np.float16)],
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_state_comes_back_as_it_was(tmp_path: Path) -> None:
    written = make_state(3, ended=True)
    Checkpoints(tmp_path, experiment="seed: 1").write(written)
    state = Checkpoints(tmp_path).latest()
    assert state is not None
    assert (state.epoch, state.ended, state.experiment) == (3, True, "seed: 1")
    assert (state.history, state.callbacks) == (written.history, written.callbacks)
    for name in ("variables", "optimizer", "best_weights", "statistics"):
        before, after = getattr(written, name), getattr(state, name)
        assert len(before) == len(after)
        for old, new in zip(before, after, strict=True):
            assert np.asarray(old).dtype == new.dtype
            np.testing.assert_array_equal(old, new)


def test_newest_two_are_kept_and_the_newest_is_read(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    for epoch in (9, 10, 11):
        checkpoints.write(make_state(epoch))
    assert names(tmp_path) == ["epoch-000010.checkpoint", "epoch-000011.checkpoint"]
    state = checkpoints.latest()
    assert state is not None
    assert state.epoch == 11


def test_no_folder_holds_no_state(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path / "none").latest() is None


def cut_short(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    return content[:100] + bytes([content[100] ^ 1]) + content[101:]


@pytest.mark.parametrize("damage", [cut_short, flipped, lambda content: b""])
def test_fault_34_damaged_checkpoint_is_named_and_the_one_before_is_read(
    tmp_path: Path, damage: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    checkpoints = Checkpoints(tmp_path)
    for epoch in (1, 2):
        checkpoints.write(make_state(epoch))
    newest = tmp_path / "epoch-000002.checkpoint"
    newest.write_bytes(damage(newest.read_bytes()))
    with caplog.at_level(logging.WARNING):
        state = checkpoints.latest()
    assert state is not None
    assert state.epoch == 1
    assert caplog.messages == [f"{newest}: passed over, as it is damaged."]


def test_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileSystemError, match="cannot be written: File exists"):
        Checkpoints(tmp_path / "file").write(make_state(1))
