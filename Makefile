# The words of daily work; each runs in .venv, which is made when it is missing or older than the locks.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CATALOGS := $(patsubst %.po,%.mo,$(wildcard locales/*/LC_MESSAGES/*.po))

.PHONY: demo test check catalogs messages eval bench faults lock format clean

demo: $(VENV)/ready catalogs
	$(BIN)/python -m bot demo

test: $(VENV)/ready-dev catalogs
	$(BIN)/python -m pytest -q

check: $(VENV)/ready-dev catalogs
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/codespell
	$(BIN)/python -m pytest -q tests/test_catalogs.py tests/test_migrations.py

eval: $(VENV)/ready-dev
	$(BIN)/python -m benchmarks.evaluate $(if $(CLINC),--clinc $(CLINC))

# Long: a thousand kills, then the trouble, the histories and the fuzz at full length (about an hour).
faults: $(VENV)/ready-dev catalogs
	$(BIN)/python -m tests.faults.kills
	WEGWIJS_FAULTS=long WEGWIJS_FUZZ=10000 WEGWIJS_FORGED=10000 $(BIN)/python -m pytest -q --deselect tests/faults/test_kills.py tests/faults tests/test_webhook.py tests/test_fuzz.py tests/test_nothing_personal.py

bench: $(VENV)/ready-dev catalogs
	$(BIN)/python -m benchmarks.bench

catalogs: $(CATALOGS)

%.mo: %.po | $(VENV)/ready
	$(BIN)/pybabel -q compile --input-file=$< --output-file=$@ --locale=$(word 2,$(subst /, ,$<))

# New messages of the code into the templates and the catalogs of every language.
messages: $(VENV)/ready-dev
	$(BIN)/python -m tools.messages

lock: $(VENV)/ready-dev
	$(BIN)/pip-compile -q --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header --strip-extras --allow-unsafe --extra=build --output-file=requirements.lock pyproject.toml
	$(BIN)/pip-compile -q --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header --strip-extras --allow-unsafe --extra=build --extra=dev --output-file=requirements-dev.lock pyproject.toml

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/ready: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/ready-dev: requirements-dev.lock $(VENV)/ready
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

clean:
	rm -rf var $(CATALOGS)
