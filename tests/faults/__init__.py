"""Faults given to whole processes: kills, full disks, signals, damaged files."""
