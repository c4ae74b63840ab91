"""What the server counts, in the text format of Prometheus."""

from collections import Counter
from collections.abc import Mapping

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds


class Counters:
    """Requests by path and status, and how long they took from headers to last byte."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._within: Counter[float] = Counter()
        self._seconds = 0.0

    def count(self, path: str, status: int, *, seconds: float) -> None:
        """Adds one request.

        Args:
            path: one of a fixed few, lest clients make this grow.
            status: of the response.
            seconds: that it took.
        """
        self._requests[path, status] += 1
        self._seconds += seconds
        for bound in BOUNDS:
            if seconds <= bound:
                self._within[bound] += 1

    def text(self, gauges: Mapping[str, float]) -> str:
        """All numbers, a line each.

        Source: Prometheus, exposition formats, text format 0.0.4.

        Args:
            gauges: other numbers, by the name they get.
        """
        lines = ["# TYPE apple_clf_requests_total counter"]
        lines += [
            f'apple_clf_requests_total{{path="{path}",status="{status}"}} {n}'
            for (path, status), n in sorted(self._requests.items())
        ]
        total = sum(self._requests.values())
        name = "apple_clf_request_seconds"
        lines.append(f"# TYPE {name} histogram")
        lines += [f'{name}_bucket{{le="{bound:g}"}} {self._within[bound]}' for bound in BOUNDS]
        lines += [f'{name}_bucket{{le="+Inf"}} {total}', f"{name}_sum {self._seconds:.6f}"]
        lines.append(f"{name}_count {total}")
        for gauge, value in gauges.items():
            lines += [f"# TYPE apple_clf_{gauge} gauge", f"apple_clf_{gauge} {value:g}"]
        return "\n".join(lines) + "\n"
