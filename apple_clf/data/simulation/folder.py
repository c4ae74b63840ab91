"""Simulated pictures as a folder to train on, and a contact sheet to look at."""

from pathlib import Path

from PIL import Image

from apple_clf.data.simulation.simulated import CLASS_NAMES, simulate
from apple_clf.errors import ConfigError
from apple_clf.io.files import cannot_write, printable
from apple_clf.plots.contact_sheet import contact_sheet

SHEET_SAMPLES = 100


def write_simulated_folder(out: Path, n: int, *, size: int, seed: int) -> Path:
    """Path of the contact sheet, which lies beside the folder that was written.

    Inside it, it would be taken for one of the pictures.

    Args:
        out: a new or empty folder; gets <class>/<number>-<kind>.png.
        n: number of pictures.
        size: side in pixels.
        seed: the same seed draws the same pictures.

    Raises:
        ConfigError: the folder holds something, or there is a contact sheet already.
        FileSystemError: it cannot be written.
    """
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise ConfigError(f"{printable(out)}: is not empty. Name a new folder.")
        whole = out.resolve()  # `.` has no name
        sheet = whole.with_name(f"{whole.name}_contact_sheet.png")
        if sheet.exists():
            raise ConfigError(f"{printable(sheet)}: is there already. Name a new folder.")
        drawn = simulate(n, image_size=(size, size), seed=seed)
        for name in CLASS_NAMES:
            (out / name).mkdir(parents=True, exist_ok=True)
        for i, (pixels, label, kind) in enumerate(
            zip(drawn.images, drawn.labels, drawn.kinds, strict=True)
        ):
            Image.fromarray(pixels).save(out / CLASS_NAMES[label] / f"{i:05d}-{kind}.png")
        contact_sheet(drawn.images[:SHEET_SAMPLES], drawn.kinds[:SHEET_SAMPLES]).save(sheet)
    except OSError as error:
        raise cannot_write(out, error) from error
    return sheet
