"""YAML text -> frozen Experiment, and back."""

from apple_clf.config.loading import (
    dump_experiment,
    experiment_schema,
    first_difference,
    load_experiment,
    load_recorded,
    parse_experiment,
    parse_file,
    parse_recorded,
    read_source,
    validated,
    with_younger_keys,
)

__all__ = [
    "dump_experiment",
    "experiment_schema",
    "first_difference",
    "load_experiment",
    "load_recorded",
    "parse_experiment",
    "parse_file",
    "parse_recorded",
    "read_source",
    "validated",
    "with_younger_keys",
]
