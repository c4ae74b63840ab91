"""The command line: parse, call one function, print."""

from apple_clf.cli.program import app, main

__all__ = ["app", "main"]
