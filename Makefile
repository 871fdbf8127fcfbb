# `make` lists the targets. PORT and VAR are honoured: two copies run side by side.
PYTHON ?= python3
PORT ?= 8000
VAR ?= var
ARGS ?=
# Test files side by side; they wait more than they work.
WORKERS ?= 2
export PORT VAR

.DEFAULT_GOAL := help
.PHONY: help run test test-long lint clean
PIP := .venv/bin/python -m pip install --disable-pip-version-check -qq

help:
	@echo "make run        the demo city on http://127.0.0.1:$(PORT) (PORT=8000 VAR=var)"
	@echo "make test       all tests that take seconds (ARGS=\"-k name\")"
	@echo "make test-long  the same with the full figures: kills, storms, a million rows"
	@echo "make lint       ruff, mypy, import-linter"
	@echo "make clean      removes .venv and caches; data in $(VAR) stays"
	@echo "Other commands: .venv/bin/python -m server --help"

run: .venv/.installed
	@DEMO=1 exec .venv/bin/python -m server up --bound

test: .venv/.installed
	@.venv/bin/python -m pytest -n $(WORKERS) --dist loadfile -m "not long" $(ARGS)

test-long: .venv/.installed
	@.venv/bin/python -m pytest $(ARGS)

lint: .venv/.installed
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@.venv/bin/lint-imports

clean:
	rm -rf .venv *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed, $(PYTHON) is older or missing:" \
			"make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Installing into .venv (about a minute, once) ..."
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@$(PIP) -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@
