"""What MLflow's and TensorBoard's own clients read."""

from pathlib import Path
from typing import Any

Curve = list[tuple[int, float]]


def mlflow_runs(uri: str, experiment: str) -> list[Any]:
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    found = client.get_experiment_by_name(experiment)
    return list(client.search_runs([found.experiment_id])) if found else []


def mlflow_curve(uri: str, run: Any, name: str) -> Curve:
    from mlflow import MlflowClient

    history = MlflowClient(uri).get_metric_history(run.info.run_id, name)
    return [(metric.step, metric.value) for metric in history]


def mlflow_artefacts(uri: str, run: Any) -> list[str]:
    from mlflow import MlflowClient

    return sorted(file.path for file in MlflowClient(uri).list_artifacts(run.info.run_id))


class Board:
    """A folder as TensorBoard sees it."""

    def __init__(self, folder: Path) -> None:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        self._events = EventAccumulator(str(folder))
        self._events.Reload()

    @property
    def curves(self) -> dict[str, Curve]:
        return {
            tag: [(event.step, event.value) for event in self._events.Scalars(tag)]
            for tag in self._events.Tags()["scalars"]
        }

    @property
    def texts(self) -> dict[str, list[str]]:
        return {
            tag: [event.tensor_proto.string_val[0].decode() for event in self._events.Tensors(tag)]
            for tag in self._events.Tags()["tensors"]
        }
