# Two commands matter: `make demo` runs the whole pipeline, `make test` proves it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check

.PHONY: help demo test check bench train-env lock clean
.DEFAULT_GOAL := help

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: $(VENV)/.runtime  ## set up, then broker, simulator, gateway, centre and page on this machine
	$(BIN)/street721 demo

test: $(VENV)/.dev  ## set up, then the test suite
	$(BIN)/pytest

check: $(VENV)/.dev  ## ruff, mypy strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev  ## every benchmark, each beside its reference
	$(BIN)/python -m bench

train-env: $(VENV)/.dev  ## add ultralytics (about 6 GB) to train and export models
	$(PIP) install --require-hashes -r locks/train.lock

lock:  ## renew the lock files from pyproject.toml (needs uv)
	uv pip compile pyproject.toml locks/build.in --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header -q -o locks/runtime.lock
	uv pip compile pyproject.toml locks/build.in --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header -q -c locks/runtime.lock -o locks/dev.lock
	uv pip compile pyproject.toml locks/build.in --extra dev --extra train --python-version 3.11 \
		--python-platform x86_64-manylinux_2_28 --generate-hashes --no-emit-index-url --no-header -q \
		-c locks/runtime.lock -c locks/dev.lock -o locks/train.lock

clean:  ## remove the environment and every cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: locks/runtime.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install --progress-bar on --require-hashes -r locks/runtime.lock
	$(PIP) install --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.dev: locks/dev.lock $(VENV)/.runtime
	$(PIP) install --progress-bar on --require-hashes -r locks/dev.lock
	@touch $@
