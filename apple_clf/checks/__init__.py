"""Looks for what is wrong with data before, or instead of, training on them."""

from apple_clf.checks.checking import CheckedData, Finding, check_data, refuse_duplicates

__all__ = ["CheckedData", "Finding", "check_data", "refuse_duplicates"]
