"""Where two experiments differ, key by key."""

from collections.abc import Iterator

from apple_clf.config.schema import Experiment


def values(experiment: Experiment) -> dict[str, object]:
    """Each value that decides what is learnt, by its key such as `model.layers.0.units`.

    Where a training is tracked decides nothing, so it is left out.
    """
    return dict(_leaves(experiment.model_dump(mode="json", exclude={"tracking"}), ""))


def first_difference(before: Experiment, after: Experiment) -> str | None:
    """The first key whose value differs, with both values, or None.

    Args:
        before: the experiment as it was.
        after: the experiment as it is.
    """
    old, new = values(before), values(after)
    for key in [*old, *(key for key in new if key not in old)]:
        if old.get(key) != new.get(key):
            return f"{key} was {old.get(key)!r} and is now {new.get(key)!r}"
    return None


def _leaves(value: object, key: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _leaves(inner, f"{key}.{i}")
    else:
        yield key, value
