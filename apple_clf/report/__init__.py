"""Run -> report.html: one file to look at, that needs nothing else."""

from apple_clf.report.building import render_report, write_report

__all__ = ["render_report", "write_report"]
