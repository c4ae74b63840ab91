"""Where else a training is told, beside its own folder."""

import re
from typing import Annotated, Self

from pydantic import Field, model_validator

from apple_clf.config.schema.base import Record, Text

Address = Annotated[
    str,
    Field(
        pattern=r"^(https?|(sqlite|postgresql|mysql|mssql)([+][a-z0-9]+)?)://[^\x00-\x20\x7f]+$",
        max_length=4096,
        json_schema_extra={
            "patternErrorMessage": "an address such as sqlite:///mlflow.db or http://localhost:5000"
        },
    ),
]


class MlflowConfig(Record):
    """A store that MLflow reads."""

    uri: Address = "sqlite:///mlflow.db"
    """Database, its file relative to the working directory, or an http address."""
    experiment: Text = "apple-clf"
    """MLflow experiment for the runs; created if it does not exist."""

    @model_validator(mode="after")
    def _no_password(self) -> Self:
        if re.search(r"//[^/@]*:[^/@]*@", self.uri):
            message = (
                "uri must hold no password, as it is kept with each run; "
                "set MLFLOW_TRACKING_PASSWORD or the database's own variable"
            )
            raise ValueError(message)
        return self


class TensorBoardConfig(Record):
    """Event files that TensorBoard reads."""

    folder: Text = "tensorboard"
    """Folder for the log, with one subfolder per run; relative to the working directory."""


class TrackingConfig(Record):
    """Where else a training is told, beside its own folder; nothing depends on it."""

    mlflow: MlflowConfig | None = None
    """Log parameters, curves, metrics, findings and pictures to MLflow, or null."""
    tensorboard: TensorBoardConfig | None = None
    """Log curves, metrics and findings to TensorBoard, or null."""
