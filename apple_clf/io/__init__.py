"""Files, processes, signals and progress, for all that is above."""
