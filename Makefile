# One command each. `make` alone says which.
.DEFAULT_GOAL := help
.PHONY: help demo test test-fast check packages lock clean
.DELETE_ON_ERROR:

BIN := .venv/bin
# The first Python that is new enough; `make PYTHON=/path/to/python test` overrides.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo "$$name" && break; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --no-input
# Our package is put in place without a build environment: hatchling is in the lock.
INSTALL_SELF := $(PIP) install --no-deps --no-build-isolation --no-index --editable .
# The pyright wheel brings its program and its Node: nothing is fetched, no newer one is looked for.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1

help:  ## This list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: .venv/.runtime  ## The lab plant, the server and a worker; a tour of faulty customers
	$(BIN)/cpe demo

test: .venv/.dev packages  ## Install what tests need, then everything `check` does
	@$(MAKE) --no-print-directory check

# Tests run in another order each time; SEED=… repeats one.
SEED ?= $(shell date +%s)
FAST := not (slow or browser or postgres or prefect or snmptools or e2e)

test-fast: .venv/.dev  ## Tests that need no server, browser or database: half a minute, the first to run
	$(BIN)/python -m pytest -q --randomly-seed=$(SEED) -n 2 --dist worksteal -m "$(FAST)" tests/unit

check: .venv/.dev  ## Lint, format, types, layers, tests: what CI runs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q --randomly-seed=$(SEED) -n 3 --dist loadfile --no-loadscope-reorder

packages:
	@sh deployments/setup/system-packages.sh

lock: .venv/.dev  ## Write requirements/*.txt from pyproject.toml and requirements/runtime.in
	sh deployments/setup/lock.sh $(BIN)/uv

clean:  ## Remove everything that `make` made
	rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(PIP) install --require-hashes --requirement requirements/pip.txt

.venv/.runtime: requirements/runtime.txt pyproject.toml | .venv/bin/python
	$(PIP) install --require-hashes --requirement requirements/runtime.txt
	$(INSTALL_SELF)
	@touch $@

.venv/.dev: requirements/dev.txt pyproject.toml | .venv/bin/python
	$(PIP) install --require-hashes --requirement requirements/dev.txt
	$(INSTALL_SELF)
	@touch .venv/.runtime $@
