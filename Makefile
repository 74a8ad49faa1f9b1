# Two commands matter: `make report` and `make test`. Everything they make lies in .venv, var and out.
SHELL := /bin/bash
PYTHON ?= python3.11
PERIOD ?= 2024-H1
BIN := .venv/bin

# Nothing is written outside this folder: no package cache, no state of tools in the home folder. No telemetry.
export UV_NO_CACHE := 1
export PIP_NO_CACHE_DIR := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# pip asks rustc for its version, and where that is rustup's it makes a home folder of its own to answer
export RUSTUP_HOME := $(CURDIR)/.venv/rustup
export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false

.PHONY: report test lint format lock clean up down

report: .venv/ready
	@started=$$SECONDS; \
	$(BIN)/cchc sample var/sample --period $(PERIOD) && \
	$(BIN)/cchc serve-sample var/sample -- $(BIN)/cchc refresh $(PERIOD); \
	code=$$?; \
	echo "Tổng cộng $$((SECONDS - started)) giây, chưa kể dựng môi trường."; \
	[ $$code -eq 0 ] || [ $$code -eq 3 ]

# Airflow on this machine, everything it writes in var/: the user interface with a login that is printed.
up: .venv/ready
	$(BIN)/cchc up

down: .venv/ready
	$(BIN)/cchc down

test: lint
	$(BIN)/pytest

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/sqlfluff lint dbt/models --disable-progress-bar

format: .venv/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix dbt/models

.venv/ready: requirements.lock bootstrap.lock pyproject.toml
	@started=$$SECONDS; echo "Dựng môi trường Python (.venv) …"; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
		|| { echo "Cần Python 3.11; chỉ đường dẫn bằng: make PYTHON=/đường/dẫn/python3.11" >&2; exit 2; }; \
	rm -rf .venv && $(PYTHON) -m venv .venv && \
	$(BIN)/pip install --quiet --require-hashes -r bootstrap.lock && \
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock && \
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable . && \
	touch $@ && echo "  ✔ Môi trường Python: $$((SECONDS - started)) giây"

# Written anew by whoever changes a dependency; hashes only, no addresses.
lock:
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 \
		--extra dev --output-file requirements.lock pyproject.toml
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 \
		--extra build --constraint requirements.lock --output-file image.lock pyproject.toml
	echo uv | $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--python-version 3.11 --output-file bootstrap.lock -

clean:
	rm -rf .venv var out
