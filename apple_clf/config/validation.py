"""Settings -> a frozen experiment, or all that is wrong with them."""

import json

from pydantic import ValidationError

from apple_clf.config.schema.sweep import ExperimentFile
from apple_clf.config.settings import Settings


def validated(settings: Settings) -> ExperimentFile:
    """All that settings describe: an experiment, and a sweep where they hold one.

    Raises:
        ConfigError: something is wrong with them, as in `parse_experiment`.
    """
    failure = None
    try:
        # By way of JSON, where strict validation takes a list for a tuple, YAML having no tuples.
        file = ExperimentFile.model_validate_json(json.dumps(settings.data))
    except ValidationError as error:
        failure = error
    else:
        if not settings.problems:
            return file
    from apple_clf.config.problems import config_error  # here, as it would slow a good start

    raise config_error(failure, settings)
