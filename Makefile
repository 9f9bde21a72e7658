# Needs Python 3.11 or 3.12 and make; creates the environment in .venv by itself.
#
#   make demo     a portrait from filmed footage, and a film of that person saying a recording: out/demo.mp4
#   make test     every test
#   make check    style, types, and whether docs/cli.md is fresh
#   make docs     write docs/cli.md anew
#   make results  portraits and films of fixed lists of recordings, compared with the truth: docs/results.md
#   make clean    remove the environment and all that was made

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check
CLI_REFERENCE := $(BIN)/python -m typer evp.cli utils docs --name evp --title "Command line"
SHARED ?= ../shared
FOOTAGE := $(SHARED)/data/talk/studio_demo2.mp4
SPEECH := $(SHARED)/data/speech/Mark_neutral.flac
CONSENT := contracted model, filmed for a public repository
EMOTION := 0 neutral, 1.2 happy, 2.4 happy, 3.4 angry, 4.8 angry

.PHONY: demo test check docs results clean

demo: out/demo.mp4

out/demo.mp4: out/demo.evp $(SPEECH)
	$(BIN)/evp animate $(SPEECH) --portrait out/demo.evp --emotion "$(EMOTION)" -o $@

out/demo.evp: .venv/run.stamp $(FOOTAGE)
	mkdir -p out
	$(BIN)/evp portrait build $(FOOTAGE) -o $@ --quick --consent "$(CONSENT)"

$(FOOTAGE) $(SPEECH):
	@echo "make demo needs $@: set SHARED to the folder that holds data/" >&2; exit 1

test: .venv/dev.stamp
	$(BIN)/python -m pytest --quiet -n 2

check: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(CLI_REFERENCE) | diff docs/cli.md - || { echo "docs/cli.md is stale: run 'make docs'" >&2; exit 1; }

docs: .venv/dev.stamp
	$(CLI_REFERENCE) > docs/cli.md

results: .venv/dev.stamp
	$(BIN)/python scripts/results.py $(SHARED)/data --work out/results --page docs/results.md

# Exact versions without dependencies: mediapipe asks for jax and a second OpenCV, which it never imports.
.venv/run.stamp: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' || \
	  { echo "evp needs Python 3.11 or 3.12: run 'make PYTHON=/path/to/python3.11'" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(INSTALL) --no-deps -r requirements.lock
	$(INSTALL) --no-deps --editable .
	touch $@

.venv/dev.stamp: requirements-dev.lock .venv/run.stamp
	$(INSTALL) --no-warn-conflicts -c requirements.lock -r requirements-dev.lock
	touch $@

clean:
	rm -rf .venv out build dist .mypy_cache .pytest_cache .ruff_cache
