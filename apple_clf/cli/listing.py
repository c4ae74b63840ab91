"""`runs`, and a run in a line."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apple_clf.cli.options import DEFAULT_RUNS, Format, OutputFormat, RunsFolder
from apple_clf.cli.output import Record, table, write_records
from apple_clf.io.files import printable

if TYPE_CHECKING:
    from apple_clf.comparison.conditions import Condition
    from apple_clf.runs import Run

METRIC_COLUMNS = ("accuracy", "balanced_accuracy", "roc_auc")
COLUMNS = ("run", "status", "epochs", "images", *METRIC_COLUMNS)
DAMAGES = (OSError, ValueError, LookupError, TypeError)

Sort = Annotated[
    str | None,
    typer.Option(metavar="KEY", help="Sort by a column, metric or key of the experiment."),
]
Reverse = Annotated[bool, typer.Option("--reverse", help="Reverse the order.")]
Where = Annotated[
    list[str] | None,
    typer.Option(metavar="EXPR", help="Show only matching runs, e.g. 'roc_auc>0.9'. Repeatable."),
]


def runs(
    runs: RunsFolder = DEFAULT_RUNS,
    sort: Sort = None,
    reverse: Reverse = False,
    where: Where = None,
    format_: OutputFormat = Format.text,
) -> None:
    """List runs, the newest last."""
    from apple_clf.comparison.conditions import parse_condition
    from apple_clf.runs import list_runs

    conditions = [parse_condition(text) for text in where or []]
    named = {sort: "--sort"} if sort else {}
    named |= {condition.key: "--where" for condition in conditions}
    extra = [key for key in named if key not in (*COLUMNS, "verdict")]
    found = list_runs(runs)
    # one at a time unless there is something to check or sort
    records: Iterable[dict[str, object]] = (summary(run) for run in found)
    if extra:
        records = _with_keys(found, extra, options=named)
    if conditions:
        records = (record for record in records if _meets(record, conditions))
    if sort:
        records = _sorted(records, sort)
    if reverse:
        records = reversed(list(records))
    write_records(
        records,
        format_,
        columns=[*COLUMNS, *extra, "verdict"],
        as_text=lambda records: _lines(
            records, [*COLUMNS, *extra], where=printable(runs), n_runs=len(found)
        ),
    )


def _with_keys(
    found: "Sequence[Run]", keys: Sequence[str], *, options: Mapping[str, str]
) -> list[dict[str, object]]:
    """Records with further metrics and keys of the experiment; None where a run has none.

    Raises:
        ConfigError: no run has such a key.
    """
    from apple_clf.comparison.conditions import unknown_key
    from apple_clf.comparison.experiments import read_value

    records, seen = [], set()
    for run in found:
        metrics = _metrics_or_none(run)
        record = _summary_of(metrics, run)
        for key in keys:
            record[key] = None
            try:
                if metrics and key in metrics["metrics"]:
                    record[key] = metrics["metrics"][key]["value"]
                else:
                    record[key] = read_value(run.resolved, key)
                seen.add(key)
            except DAMAGES:  # imported, of another version, or damaged
                continue
        records.append(record)
    for key in keys:
        if found and key not in seen:
            raise unknown_key(key, _all_keys(found), option=options[key])
    return records


def _all_keys(found: "Sequence[Run]") -> list[str]:
    from apple_clf.comparison.experiments import leaves, read_experiment

    keys = dict.fromkeys((*COLUMNS, "verdict"))
    for run in found[-100:]:  # enough to find the nearest
        metrics = _metrics_or_none(run)
        keys |= dict.fromkeys(metrics["metrics"] if metrics else ())
        try:
            keys |= dict.fromkeys(key for key, _ in leaves(read_experiment(run.resolved)))
        except DAMAGES:
            continue
    return list(keys)


def _meets(record: Record, conditions: "Iterable[Condition]") -> bool:
    return all(condition.holds(record[condition.key]) for condition in conditions)


def _sorted(records: Iterable[dict[str, object]], key: str) -> list[dict[str, object]]:
    """In rising order, those without a value first, so that the best or largest comes last."""
    from apple_clf.comparison.conditions import sort_rank

    return sorted(
        records,
        key=lambda record: (record[key] is not None, sort_rank(record[key])),
    )


def summary(run: "Run") -> dict[str, object]:
    """A run in a line, damaged or unfinished ones too."""
    return _summary_of(_metrics_or_none(run), run)


def _metrics_or_none(run: "Run") -> Mapping[str, Any] | None:
    """The content of a metrics.json with all that `_summary_of` needs, or None."""
    from apple_clf.runs.files import UnreadableFileError, read_metrics

    try:
        content: Mapping[str, Any] = read_metrics(run)
        _columns_of(content)
    except (*DAMAGES, UnreadableFileError):
        return None
    return content


def _summary_of(content: Mapping[str, Any] | None, run: "Run") -> dict[str, object]:
    if content is not None:
        return {"run": run.name, "status": "finished", **_columns_of(content)}
    status = "damaged" if run.is_finished else "unfinished"
    empty = dict.fromkeys((*COLUMNS[2:], "verdict"))
    return {"run": run.name, "status": status, **empty}


def _columns_of(content: Mapping[str, Any]) -> dict[str, object]:
    return {
        "epochs": content["training"] and content["training"]["epochs"],
        "images": content["n_images"],
        **{metric: content["metrics"][metric]["value"] for metric in METRIC_COLUMNS},
        "verdict": content["verdict"],
    }


def _lines(
    records: Iterable[Record], columns: Sequence[str], *, where: str, n_runs: int
) -> Iterable[str]:
    rows = [[_cell(record[column]) for column in columns] for record in records]
    if not n_runs:
        return [f"No runs in {where}. Train one: apple-clf train"]
    if not rows:
        return [f"None of {n_runs:,} runs in {where} is like that."]
    head = [column if "." in column else column.replace("_", " ") for column in columns]
    return table([head, *rows])


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) >= 0.01 or value == 0 else f"{value:.3g}"
    return printable(str(value))
