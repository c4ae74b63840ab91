"""One experiment -> one finished run."""
