# Everything runs in a virtual environment of its own, made on first use from pyproject.toml and constraints.txt.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test test-fast check clean

demo: $(VENV)/.installed  ## a search that no first try solves: no key, no GPU, under a minute (docs/search.md)
	$(BIN)/synthesize --task cartpole --quick --environment-steps 10000 --generations 4 --samples 5 --final-seeds 5 --seed 4

test: $(VENV)/.installed-dev  ## every test that this machine can run; in two processes, a file in one of them, the slow ones not last
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-fast: $(VENV)/.installed-dev  ## the tests that take a moment each
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"

check: $(VENV)/.installed-dev  ## what a change has to pass besides the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(VENV)/.installed-dev: EXTRAS := [dev]
$(VENV)/.installed $(VENV)/.installed-dev: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "eureka_agent needs Python 3.11 or newer: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".$(EXTRAS)"
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
