"""Run -> its model in a form for elsewhere, compared with Keras before it is kept.

Every form takes uint8 pixels, prepared as the run's preprocessing says, and gives class
probabilities, with the run's temperature in them. What an export cannot say is `unsure`; only the
bundle, which `predict` reads, can.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from apple_clf.errors import ArtifactError, ConfigError
from apple_clf.exporting.agreement import Agreement, compare, keras_answers, sample_of
from apple_clf.exporting.forms import FORMS, Form
from apple_clf.io.files import cannot_write, portable, printable, whole_file
from apple_clf.runs import Run
from apple_clf.runs.model_record import ModelRecord, read_model_record


@dataclass(frozen=True)
class Exported:
    """What was written, and how it agrees with Keras."""

    run: str
    format: str
    path: Path
    n_bytes: int
    record: ModelRecord
    agreement: Agreement

    def as_dict(self) -> dict[str, object]:
        """The export as JSON shows it."""
        return {
            "run": self.run,
            "format": self.format,
            "path": portable(self.path),
            "bytes": self.n_bytes,
            "class_names": self.record.class_names,
            **self.agreement.as_dict(),
        }


def default_target(run: Run, format_: str) -> Path:
    """Where an export goes by default: into the current folder, named like the run."""
    return Path(f"{run.path.resolve().name}{FORMS[format_].suffix}")


def export(run: Run, format_: str, *, target: Path, replace: bool = False) -> Exported:
    """A run's model in one of the `FORMS`; it is kept whole, or not at all.

    Args:
        run: finished.
        format_: a name in `FORMS`.
        target: the file or folder to make.
        replace: whether an export that is there may be replaced.

    Raises:
        ConfigError: the target is there already.
        MissingExtraError: the format needs a part that is not installed.
        ArtifactError: the run has no usable model, the network cannot be put into this form, or
            what came of it does not answer as Keras does.
        FileSystemError: the target cannot be written.
    """
    from apple_clf.exporting.source import Source
    from apple_clf.model.keras_file.loading import load_keras_model

    form = FORMS[format_]
    _check_target(target, form, replace=replace)
    record = read_model_record(run.model_record)
    model = load_keras_model(run)
    sample = sample_of(run, record)
    source = Source(run, record, model, sample.training_images, name=target.name)
    keras = keras_answers(run, record, lambda pixels: model.predict(pixels, verbose=0))
    with _whole(target, form) as place:
        try:
            form.write(place, source)
        except ArtifactError as error:
            raise ArtifactError(f"{printable(run.path)}: {error}") from error
        agreement = compare(form.open(place), keras, sample=sample, record=record)
        if (reason := form.refused(agreement)) is not None:
            raise ArtifactError(
                f"{printable(run.path)}: the {format_} export is not kept: {reason} "
                f"({agreement.n_images:,} {agreement.images})."
            )
        n_bytes = sum(path.stat().st_size for path in _files(place))
    return Exported(str(run.path), format_, target, n_bytes, record, agreement)


def _check_target(target: Path, form: Form, *, replace: bool) -> None:
    """Refuses to replace what nobody asked to replace, or what is not an export."""
    if not os.path.lexists(target):
        return
    if not replace:
        raise ConfigError(f"{printable(target)}: exists. Choose another name, or add --force.")
    expected = target if form.marker is None else target / form.marker
    if not expected.is_file() or target.is_symlink():
        kind = "file" if form.marker is None else f"folder of a {form.name}"
        raise ConfigError(f"{printable(target)}: is not a {kind}. Choose another name.")


@contextmanager
def _whole(target: Path, form: Form) -> Iterator[Path]:
    """A place to write that becomes the target only when the block ends well."""
    if form.marker is None:
        with whole_file(target) as file:
            yield Path(file.name)
    else:
        with _whole_folder(target) as place:
            yield place


@contextmanager
def _whole_folder(target: Path) -> Iterator[Path]:
    place = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    old = target.with_name(f".{target.name}.{os.getpid()}.old")
    try:
        place.mkdir()
        yield place
        if target.exists():
            target.rename(old)
        place.rename(target)
    except OSError as error:
        raise cannot_write(target, error) from error
    finally:
        shutil.rmtree(place, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _files(place: Path) -> list[Path]:
    return [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]
