# One door: make train, make test, make check, make bench. Everything lives in .venv.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt

.PHONY: train test check bench faults format clean

train: .venv/.installed  ## train the embedded default: simulated apples, nothing to download
	$(BIN)/apple-clf train

test: .venv/.dev  ## all tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: .venv/.dev  ## lint, format, types, import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.dev  ## this project against its peers, in one run
	$(BIN)/python -m benchmarks

faults: .venv/.dev  ## kill hundreds of trainings, and see that each comes to the same bytes
	$(BIN)/python -m tests.faults

format: .venv/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/.installed: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) -e .
	touch $@

.venv/.dev: .venv/.installed
	$(PIP) -e ".[dev]"
	touch $@
