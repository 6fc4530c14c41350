# make demo: everything small, on the bundled furniture.  make test: the tests, lint and type checks.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN = $(VENV)/bin
SOURCES = keras3dgan datasets export tests benchmarks setup.py

.PHONY: demo test tests test-slow lint format release clean

demo: $(VENV)/.cpu
	$(BIN)/keras3dgan demo --output=demo

# Side by side: linting waits for nothing.
test: $(VENV)/.dev
	$(MAKE) --jobs=2 lint tests

tests: $(VENV)/.dev
	$(BIN)/pytest -m "not slow" -n 2 --dist=worksteal -rs

test-slow: lint
	$(BIN)/pytest -m slow

lint: $(VENV)/.dev
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

# The files of a release, tried in empty environments of every Python at hand.
release: $(VENV)/.dev
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/python tests/release.py dist/*

$(VENV)/.cpu: setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --editable '.[cpu]'
	touch $@

$(VENV)/.dev: $(VENV)/.cpu
	$(BIN)/pip install --editable '.[cpu,dev]'
	$(BIN)/pip install --no-deps 'tensorflow-serving-api>=2.19'
	touch $@

clean:
	rm -rf $(VENV) demo build dist *.egg-info
