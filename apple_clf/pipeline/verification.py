"""Run -> trained again from what it recorded -> identical, or what differs first."""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apple_clf.config import first_difference, load_recorded, with_younger_keys
from apple_clf.config.schema import Experiment, TrackingConfig
from apple_clf.errors import ArtifactError
from apple_clf.io.files import printable
from apple_clf.io.progress import Reporter, Silent
from apple_clf.pipeline.workflow import train
from apple_clf.runs import Run
from apple_clf.runs.environment import changed_inputs
from apple_clf.runs.files import read_object


@dataclass(frozen=True)
class Verification:
    """Whether a training came to the same bytes again, and if not, why it may not have."""

    run: str
    identical: bool
    inputs: tuple[str, ...]  # differences of what went in, the weightiest first
    artefacts: tuple[str, ...]  # names of the files that differ, in the order they were made

    def as_dict(self) -> dict[str, object]:
        """The verification as JSON shows it."""
        return {
            "run": self.run,
            "identical": self.identical,
            "inputs": self.inputs,
            "artefacts": self.artefacts,
        }


def verify(run: Run, *, reporter: Reporter | None = None) -> Verification:
    """Trains a finished run again, in a temporary folder, and compares every artefact.

    Raises:
        ArtifactError: the run is not finished, or a record of it is missing or damaged.
        DataError: its data are gone.
    """
    if run.imported.exists():
        raise ArtifactError(
            f"{printable(run.path)}: an imported model, which was not trained here, so it cannot "
            "be trained again."
        )
    if not run.is_finished:
        raise ArtifactError(f"{printable(run.path)}: is not finished, so it cannot be verified.")
    environment = read_object(run.environment)
    experiment = load_recorded(run.resolved)
    with tempfile.TemporaryDirectory(prefix="apple-clf-") as folder:
        again = train(
            experiment.model_copy(update={"tracking": TrackingConfig()}),
            source=b"",
            folder=Path(folder),
            reporter=reporter or Silent(),
        )
        differing = tuple(
            path.name
            for path, twin in zip(_artefacts(run), _artefacts(again), strict=True)
            if not path.exists() or path.read_bytes() != twin.read_bytes()
        )
        reasons = [
            *_differences(
                environment, experiment, read_object(run.dataset), read_object(again.dataset)
            ),
            *_version_difference(read_object(run.model_record), read_object(again.model_record)),
        ]
    return Verification(
        run=str(run.path),
        identical=not differing,
        inputs=tuple(reasons),
        artefacts=differing,
    )


def _artefacts(run: Run) -> tuple[Path, ...]:
    """What must be the same byte for byte, in the order in which it is made."""
    return (
        *(run.history, run.statistics, run.weights),
        *(run.keras_model, run.litert_model, run.predictions, run.metrics),
    )


def _differences(
    environment: Mapping[str, Any],
    experiment: Experiment,
    data: Mapping[str, Any],
    data_now: Mapping[str, Any],
) -> list[str]:
    found = []
    recorded = Experiment.model_validate_json(
        json.dumps(with_younger_keys(environment["experiment"]))
    )
    if (difference := first_difference(recorded, experiment)) is not None:
        found.append(f"experiment: {difference}")
    if data["fingerprint"] != data_now["fingerprint"]:
        found.append(f"data: {_data_difference(data, data_now)}")
    found += changed_inputs(environment)
    found += [
        f"when it was resumed, {change}" for change in environment.get("changed_on_resume", ())
    ]
    return found


def _version_difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    key = "preprocessing_version"
    if before.get(key) == after[key]:
        return []
    return [f"{key} was {before.get(key)} and is now {after[key]}: made by another apple-clf"]


def _data_difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    if before["images"] != after["images"]:
        return f"{before['images']} images, now {after['images']}"
    return (
        f"as many images, but other pixels or labels: fingerprint {before['fingerprint'][:12]}, "
        f"now {after['fingerprint'][:12]}"
    )
