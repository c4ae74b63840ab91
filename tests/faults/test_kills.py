import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

pytest.importorskip("resource", reason="needs fork and resource limits")


def test_fault_30_32_33_killed_or_refused_trainings_come_to_the_same_bytes() -> None:
    sample = ["--random", "3", "--real", "0", "--every", "29", "--json"]
    result = subprocess.run(
        [sys.executable, "-m", "tests.faults", *sample],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout, result.stderr
    report = json.loads(result.stdout)
    assert report["problems"] == []
    rows = report["rows"]
    assert rows["injected"]["killed"] >= rows["injected"]["trials"] > 2
    for row in ("random", "injected", "full", "size"):
        counts = rows[row]
        assert counts.get("resumed", 0) + counts.get("restarted", 0) == counts["trials"] > 0
