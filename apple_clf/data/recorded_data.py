"""Run -> the data set it was made of, read again and known to be the same."""

from apple_clf.config import load_recorded
from apple_clf.config.schema import Experiment, FolderData
from apple_clf.data.datasets import Dataset, load_dataset
from apple_clf.errors import ArtifactError
from apple_clf.io.files import printable
from apple_clf.runs import Run
from apple_clf.runs.files import read_dataset, read_origin
from apple_clf.runs.model_record import read_model_record


def load_recorded_data(run: Run) -> Dataset:
    """The data that a run recorded, of an imported model those that it was imported with.

    Nothing is downloaded.

    Raises:
        ArtifactError: a record cannot be read, or the data are no longer what they were.
        ConfigError: its experiment cannot be read.
        DataError: the data are gone.
        FileSystemError: they cannot be read.
    """
    try:
        recorded = read_dataset(run)["fingerprint"]
        dataset = _imported_data(run) if run.imported.exists() else _trained_data(run)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ArtifactError(
            f"{printable(run.path)}: the record of its data cannot be read"
        ) from error
    if dataset.fingerprint != recorded:
        raise ArtifactError("the data have changed since the training")
    return dataset


def _trained_data(run: Run) -> Dataset:
    experiment = load_recorded(run.resolved)
    return load_dataset(experiment.data, experiment.preprocessing, seed=experiment.seed)


def _imported_data(run: Run) -> Dataset:
    origin = read_origin(run)
    contract = read_model_record(run.model_record).preprocessing
    return load_dataset(FolderData(path=origin["data"]), contract, seed=Experiment().seed)
