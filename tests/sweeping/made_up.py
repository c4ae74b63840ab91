"""Sweeps whose trainings are made up, so that hundreds of them take no time."""

import json
import math
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from apple_clf.config.sweep import SweepPlan, parse_sweep
from apple_clf.runs import create_run
from apple_clf.sweeping.folder import SweepFolder, SweepRecord, create_sweep
from apple_clf.sweeping.orders import Answer, Epoch, Event, Order, Outcome

EPOCHS = 4
Curve = Callable[[Order], Sequence[float]]


def plan_of(*overrides: str) -> SweepPlan:
    fixed = (f"training.epochs={EPOCHS}", "name=tiny")
    return parse_sweep(b"{}\n", filename="tiny.yaml", overrides=[*fixed, *overrides])


def folder_of(tmp_path: Path) -> SweepFolder:
    record = SweepRecord("tiny.yaml", [], None)
    return create_sweep(tmp_path / "sweeps", "tiny", source=b"{}\n", record=record)


def log_rate_curve(order: Order) -> list[float]:
    """Validation accuracy by epoch, best at a learning rate of 0.01 and the same for any seed."""
    rate = order.experiment.training.learning_rate
    assert isinstance(rate, float)
    top = 1 - 0.1 * abs(math.log10(rate) + 2)
    return [top * epoch / EPOCHS for epoch in range(1, EPOCHS + 1)]


class MadeUp:
    """An executor that writes what a training would leave, in an order that depends on capacity."""

    def __init__(self, capacity: int = 1, *, curve: Curve = log_rate_curve) -> None:
        self.capacity = capacity
        self.curve = curve
        self.orders: list[Order] = []
        self.stop_after = math.inf  # events; then a signal would come
        self._open: deque[tuple[Order, int]] = deque()
        self._stopped: list[tuple[Order, Event]] = []

    def submit(self, order: Order) -> None:
        self.orders.append(order)
        assert len(self._open) < self.capacity
        self._open.append((order, 0))

    def receive(self, *, timeout: float) -> Sequence[tuple[Order, Event]]:
        if self._stopped:
            return [self._stopped.pop()]
        order, epoch = self._open.pop()  # the latest first: an order that none may depend on
        curve = self.curve(order)
        if epoch == len(curve):
            self._write(order, curve)
            return [(order, Outcome("finished"))]
        self._open.appendleft((order, epoch + 1))
        return [(order, Epoch(epoch + 1, {"val_accuracy": curve[epoch]}))]

    def answer(self, order: Order, answer: Answer) -> None:
        if answer is not Answer.GO_ON:
            self._open = deque(pair for pair in self._open if pair[0] is not order)
            status = "pruned" if answer is Answer.PRUNE else "stopped"
            self._stopped.append((order, Outcome(status)))  # type: ignore[arg-type]  # one of two

    def close(self) -> None:
        pass

    @staticmethod
    def _write(order: Order, curve: Sequence[float]) -> None:
        run = create_run(order.folder, order.experiment.name, number=order.number)
        rows = [f"{epoch},{value}" for epoch, value in enumerate(curve, start=1)]
        run.history.write_text("\n".join(["epoch,val_accuracy", *rows]) + "\n")
        run.metrics.write_text(json.dumps({"training": {"best_epoch": len(curve)}}))
