"""This project against its peers, in one run: `python -m benchmarks` prints the table."""
