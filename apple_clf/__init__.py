"""Small, config-driven image-classification experiments.

From Python, each of these is imported when it is first used:

    import apple_clf

    run = apple_clf.train(apple_clf.load_config("mine.yaml", "training.epochs=30"))
    (answer,) = apple_clf.Predictor(run).predict("apple.png")
"""

TYPE_CHECKING = False  # that of typing, whose import takes longer than all else here

if TYPE_CHECKING:
    from apple_clf.api import export, load_config, read_history, read_metrics, sweep, train
    from apple_clf.comparison.compare import compare
    from apple_clf.config.schema import Experiment
    from apple_clf.errors import AppleClfError
    from apple_clf.explanation import explain
    from apple_clf.io.progress import Bar, Lines, Reporter
    from apple_clf.pipeline.workflow import resume
    from apple_clf.prediction.inference import Answer
    from apple_clf.prediction.predictor import Predictor
    from apple_clf.runs import Run, find_run

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "AppleClfError",
    "Bar",
    "Experiment",
    "Lines",
    "Predictor",
    "Reporter",
    "Run",
    "compare",
    "explain",
    "export",
    "find_run",
    "load_config",
    "read_history",
    "read_metrics",
    "resume",
    "sweep",
    "train",
]

_HOMES = {
    "Answer": "prediction.inference",
    "AppleClfError": "errors",
    "Bar": "io.progress",
    "Experiment": "config.schema",
    "Lines": "io.progress",
    "Predictor": "prediction.predictor",
    "Reporter": "io.progress",
    "Run": "runs",
    "compare": "comparison.compare",
    "explain": "explanation",
    "export": "api",
    "find_run": "runs",
    "load_config": "api",
    "read_history": "api",
    "read_metrics": "api",
    "resume": "pipeline.workflow",
    "sweep": "api",
    "train": "api",
}

if not TYPE_CHECKING:  # else every misspelt name would pass the type checker

    def __getattr__(name):
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
