"""TensorBoard's event files: TFRecords of Event messages, which TensorFlow alone can write."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from apple_clf.config.schema import TensorBoardConfig
from apple_clf.model.backend import tf
from apple_clf.tracking.place import Point, Story

Event, Summary = tf.compat.v1.Event, tf.compat.v1.Summary

_IDENTITY = 6  # letters, enough among runs of one name


class EventFiles:
    """A folder of event files for a run, one for each process that worked on it."""

    name = "TensorBoard"
    errors: tuple[type[Exception], ...] = (OSError, tf.errors.OpError)

    def __init__(self, config: TensorBoardConfig) -> None:
        self._config = config
        self._known: set[tuple[str, int]] = set()

    def begin(self, story: Story) -> None:
        """Opens a new file in the run's folder, once the older ones are read."""
        folder = Path(self._config.folder, f"{story.run.name}-{story.identity[:_IDENTITY]}")
        folder.mkdir(parents=True, exist_ok=True)
        older = sorted(folder.glob("*.tfevents.*"))
        self._known = {
            (value.tag, event.step)
            for path in older
            for event in _events(path)
            for value in event.summary.value
        }
        # TensorBoard reads them in the order of their names.
        self._file = tf.io.TFRecordWriter(str(folder / f"events.out.tfevents.{len(older):06d}"))
        self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))
        rows = "".join(f"| {key} | {value} |\n" for key, value in story.values.items())
        self._text("experiment", f"{story.run}\n\n| key | value |\n|---|---|\n{rows}")

    def write(self, points: Sequence[Point]) -> None:
        """Writes those that are not there yet."""
        for name, epoch, value in points:
            self._add(epoch, Summary.Value(tag=name, simple_value=value))
        self._file.flush()

    def remark(self, findings: Mapping[str, str]) -> None:
        """Writes each as a text."""
        for name, text in findings.items():
            self._text(f"finding/{name}", text)

    def keep(self, files: Iterable[Path]) -> None:
        """Takes nothing: TensorBoard draws its own curves."""

    def end(self, status: str) -> None:
        """Closes the file."""
        self._file.close()

    def _text(self, tag: str, text: str) -> None:
        plugin = tf.compat.v1.SummaryMetadata.PluginData(plugin_name="text")
        value = Summary.Value(
            tag=tag,
            tensor=tf.make_tensor_proto([text.encode()]),
            metadata=tf.compat.v1.SummaryMetadata(plugin_data=plugin),
        )
        self._add(0, value)
        self._file.flush()

    def _add(self, step: int, value: Any) -> None:
        if (value.tag, step) not in self._known:
            self._write(Event(wall_time=time.time(), step=step, summary=Summary(value=[value])))
            self._known.add((value.tag, step))

    def _write(self, event: Any) -> None:
        self._file.write(event.SerializeToString())


def _events(path: Path) -> Iterator[Any]:
    """The events of a file; one that a killed process cut short ends where it was cut."""
    try:
        for record in tf.data.TFRecordDataset(str(path)):
            yield Event.FromString(record.numpy())
    except tf.errors.DataLossError:
        return
