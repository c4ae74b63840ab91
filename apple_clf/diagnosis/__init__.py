"""History, statistics and metrics of a training -> findings in words, each with the next edit."""

from apple_clf.diagnosis.diagnosing import (
    Finding,
    Record,
    Severity,
    diagnose,
    findings_json,
    read_record,
)

__all__ = ["Finding", "Record", "Severity", "diagnose", "findings_json", "read_record"]
