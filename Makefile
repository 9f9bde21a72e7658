# Needs Python 3.11 or 3.12 and make; creates the environment in .venv by itself.
#
#   make demo      the built-in portrait says demo/speech.flac: out/demo.mp4
#   make test      every test
#   make check     style, types, and whether docs/cli.md is fresh
#   make docs      write docs/cli.md anew
#   make pictures  make the pictures of the documents anew, with the built-in portrait
#   make results   portraits and films of fixed lists of recordings, compared with the truth: docs/results.md
#   make page      build the studio's page anew; needs Node 20
#   make page-test tests of the page that need no browser; needs Node 20
#   make studio-pictures  the pictures of the studio in the documents; needs Chromium
#   make clean     remove the environment and all that was made

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check
CLI_REFERENCE := $(BIN)/python -m typer evp.cli utils docs --name evp --title "Command line"
SHARED ?= ../shared
SPEECH := demo/speech.flac
EMOTION := 0 neutral, 5.3 neutral, 6.2 happy, 8.8 happy, 9.8 angry, 12.4 angry, 13.2 neutral

.PHONY: demo test check docs pictures results page page-test studio-pictures clean

demo: out/demo.mp4
	@echo "The film is $<"

out/demo.mp4: .venv/run.stamp $(SPEECH)
	mkdir -p out
	$(BIN)/evp animate $(SPEECH) --emotion "$(EMOTION)" -o $@

test: .venv/dev.stamp
	$(BIN)/python -m pytest --quiet -n 2

check: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(CLI_REFERENCE) | diff docs/cli.md - || { echo "docs/cli.md is stale: run 'make docs'" >&2; exit 1; }

docs: .venv/dev.stamp
	$(CLI_REFERENCE) > docs/cli.md

pictures: .venv/dev.stamp out/demo.mp4
	$(BIN)/python scripts/film_pictures.py out/demo.mp4 --at 3.2 4.6 7.3 8.3 10.9 11.9 --span 4.5 12.5
	$(BIN)/python scripts/emotion_pictures.py

page: studio/node_modules
	cd studio && npm run --silent build

page-test: studio/node_modules
	cd studio && npm run --silent types && npm test --silent

# Not `npm ci`: an optional part of vite, for Windows alone, is missing in some registries, and so from the lock.
studio/node_modules: studio/package-lock.json
	cd studio && npm install --no-save --silent && touch node_modules

# Of a studio that runs at STUDIO, or of one that is started for it, with an empty data folder.
STUDIO_PICTURES := $(BIN)/python scripts/studio_pictures.py
studio-pictures: .venv/dev.stamp
	@if test -n "$(STUDIO)"; then $(STUDIO_PICTURES) "$(STUDIO)" $(SPEECH) docs/pictures; else \
	  mkdir -p out && rm -rf out/studio && { $(BIN)/evp studio --port 8769 --no-browser --data out/studio & } && \
	  trap "kill $$!" EXIT && sleep 8 && $(STUDIO_PICTURES) http://127.0.0.1:8769/ $(SPEECH) docs/pictures; fi
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
