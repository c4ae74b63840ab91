"""What a training leaves behind of its layers: a row of numbers an epoch, and a few weights.

Epoch 0 is the untrained network. Nothing here needs TensorFlow, so that what reads a run is quick.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apple_clf.io.csv_rows import csv_writer

COLUMNS = (
    "weight_norm",
    "bias_norm",
    "gradient_norm",
    "update_norm",
    "update_ratio",
    "activation_mean",
    "activation_std",
    "dead",
    "saturated",
)
"""Of a layer: Euclidean norms of its weights, of its biases, of the loss gradient by both, and of
the change of the weights over the epoch, the last also as a share of the weights; mean and standard
deviation of its outputs; the share of its units that are 0 for every image, and of its outputs that
lie in a flat end of its activation."""

N_SNAPSHOTS = 16
N_SNAPSHOT_UNITS = 32


@dataclass(frozen=True, eq=False)  # arrays have no single truth value to compare by
class LayerStatistics:
    """A number by epoch, layer and column; NaN where a column does not apply to a layer."""

    layers: tuple[str, ...]  # from input to output
    values: NDArray[np.float32]  # (n_epochs + 1, n_layers, n_columns), from epoch 0 on

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LayerStatistics) and self.to_csv() == other.to_csv()

    __hash__ = None  # type: ignore[assignment]  # as of any mutable array

    def column(self, name: str) -> NDArray[np.float32]:
        """One of `COLUMNS`, (n_epochs + 1, n_layers)."""
        values: NDArray[np.float32] = self.values[:, :, COLUMNS.index(name)]
        return values

    def to_csv(self) -> str:
        """A row per epoch and layer: float32 in its shortest decimals, NaN as an empty cell."""
        text = io.StringIO()
        writer = csv_writer(text)
        writer.writerow(["epoch", "layer", *COLUMNS])
        for epoch, rows in enumerate(self.values):
            for layer, row in zip(self.layers, rows, strict=True):
                cells = ("" if np.isnan(value) else str(value) for value in row)
                writer.writerow([epoch, layer, *cells])
        return text.getvalue()

    @classmethod
    def from_csv(cls, text: str) -> "LayerStatistics":
        """The statistics that `to_csv` wrote.

        Raises:
            ValueError: the text is something else.
        """
        head, *rows = csv.reader(text.splitlines())
        if head != ["epoch", "layer", *COLUMNS]:
            raise ValueError(f"the columns are {head}")
        layers = tuple(row[1] for row in rows if row[0] == "0")
        cells = [[cell or "nan" for cell in row[2:]] for row in rows]
        values = np.array(cells, np.float32).reshape(-1, max(1, len(layers)), len(COLUMNS))
        return cls(layers, values)


@dataclass(frozen=True, eq=False)
class WeightSnapshots:
    """Weights of the first units of the first layer that has any, at a few epochs."""

    layer: str
    epochs: tuple[int, ...]  # ascending
    weights: Sequence[NDArray[np.float16]]  # one an epoch, (..., n_units)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WeightSnapshots) and self.to_bytes() == other.to_bytes()

    __hash__ = None  # type: ignore[assignment]  # as of any mutable array

    def to_bytes(self) -> bytes:
        """An .npz file with the arrays layer, epochs and weights; the same bytes for the same."""
        buffer = io.BytesIO()
        np.savez(
            buffer,
            layer=np.array(self.layer),
            epochs=np.array(self.epochs, np.int32),
            weights=np.array(self.weights, np.float16),
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "WeightSnapshots":
        """The snapshots that `to_bytes` wrote.

        Raises:
            ValueError: the content is something else.
        """
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            epochs = tuple(archive["epochs"].tolist())
            return cls(str(archive["layer"]), epochs, list(archive["weights"]))


def snapshot_epochs(epoch: int) -> tuple[int, ...]:
    """The epochs of which weights are kept once an epoch is done, that one among them; at most 16.

    Weights move most at the start, so the epochs are 0, 1, 2, 3, 4, 6, 8, 12 and so on; without
    3, 6, 12 once there would be too many. Each set lies within the one before and the newest epoch,
    so a training need not know how long it will last.
    """
    powers = [2**k for k in range(epoch.bit_length())]
    halves = [3 * power for power in powers if 3 * power <= epoch]
    kept = sorted({0, *powers, *halves})
    if len(kept) >= N_SNAPSHOTS:
        kept = [0, *powers[2 - N_SNAPSHOTS :]]
    return tuple(sorted({*kept, epoch}))
