# One door: make train, make test, make check, make bench. Everything lives in .venv.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt

.PHONY: train test test-fast check bench bench-accuracy bench-checks bench-diagnosis bench-real bench-starters concepts faults faults-served format clean help

train: .venv/.installed  ## train the embedded default: simulated apples, nothing to download
	$(BIN)/apple-clf train

test: .venv/.dev  ## all tests
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-fast: .venv/.dev  ## those that take no more than a few seconds
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"

check: .venv/.dev  ## lint, format, types, import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.dev  ## this project against its peers, in one run
	$(BIN)/python -m benchmarks

bench-accuracy: .venv/.dev  ## how good the recipes are on real drawings, five seeds each
	$(BIN)/python -m benchmarks.accuracy

bench-checks: .venv/.dev  ## what data check finds of planted copies and wrong labels
	$(BIN)/python -m benchmarks.planted

bench-real: .venv/.dev  ## how good they are on pen and paper, sketches on the page, and faint ink
	$(BIN)/python -m benchmarks.real

bench-diagnosis: .venv/.dev  ## known faults: are they found, and does the proposed edit cure them
	$(BIN)/python -m benchmarks.diagnosis

bench-starters: .venv/.dev  ## how good the experiments are that init writes, five seeds each
	$(BIN)/python -m benchmarks.starters

concepts: .venv/.dev  ## draw the pictures of docs/concepts.md again, from real trainings
	$(BIN)/python -m benchmarks.concepts

faults: .venv/.dev  ## kill hundreds of trainings, and see that each comes to the same bytes
	$(BIN)/python -m tests.faults

faults-served: .venv/.dev  ## slow, greedy, foreign and broken clients, signals: what a server does
	$(BIN)/python -m tests.web

format: .venv/.dev  ## mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove .venv, builds and caches
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-16s %s\n", $$1, $$2}' Makefile

.venv/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) -e .
	touch $@

.venv/.dev: .venv/.installed
	$(PIP) -e ".[dev]"
	touch $@
