# codeassist. Needs git, make and Python 3.11 to 3.13 with its venv module; everything else comes into .venv/.
#
#   make serve    the service at 127.0.0.1:8000                    (PORT=8080 for another port)
#   make test     every test, browser tests in a real Chromium      (ARGS="tests/api -x" for some of them)
#   make bars     the times that a quiet machine has to keep
#   make bench-service  a live service under load, for MINUTES=1
#   make bench    how fast a note is coded, as ratios              (NOTES=file.jsonl for other notes than our own)
#   make lint     ruff, mypy and import-linter
#   make accuracy every bar and the figure reached, with a report  (SHARED=../shared for the corpora's folder)
#   make bench-train  time and memory of training on 1,000 to 100,000 generated notes  (ARGS="--most 10000")
#   make bench-batch  notes a second of a batch with 1, 2 and 4 workers   (NOTES=file.jsonl, ARGS="--notes 5000")
#   make bundle   one archive in dist/, from which serve and test work without a network
#   make clean    removes .venv/ and all that was made here
#
# PYTHON=python3.12 chooses the interpreter. Where a folder wheels/ lies beside this file, as in an unpacked
# bundle, nothing is fetched.

PYTHON ?= python3
PORT ?= 8000
JOBS ?= 2
MINUTES ?= 1
ARGS ?=
NOTES ?= $(SHARED)/data/corpora/aci_notes.jsonl
SHARED ?= $(or $(CODEASSIST_SHARED),../shared)

VENV := .venv
BIN := $(VENV)/bin
SERIES := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
# A set-up is done once for each content of the lock and of pyproject.toml, and place of the checkout.
KEY := $(shell { echo "$(CURDIR)"; cat requirements.txt pyproject.toml; } | sha256sum | cut -c1-16)
TEST_KEY := $(shell { echo "$(CURDIR)"; cat requirements-test.txt pyproject.toml; } | sha256sum | cut -c1-16)
MADE := $(VENV)/.python-$(SERIES)
READY := $(VENV)/.ready-$(KEY)
TEST_READY := $(VENV)/.ready-test-$(TEST_KEY)
OFFLINE := $(if $(wildcard wheels/*.whl),--no-index --find-links wheels)
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input

# Tests have an index of their own, so that what a site has imported does not change them.
export CODEASSIST_TEST_CACHE := $(or $(CODEASSIST_CACHE_DIR),$(CURDIR)/.cache)

.PHONY: serve test bars bench bench-batch bench-service bench-train lint format accuracy bundle setup setup-test clean help
.DEFAULT_GOAL := help

help:
	@sed -n '3,14s/^# *//p' Makefile

serve: setup
	@$(BIN)/python -m codeassist.cli terminology build
	@exec $(BIN)/python -m codeassist.cli serve --port $(PORT)

test: setup-test
	@CODEASSIST_CACHE_DIR="$$CODEASSIST_TEST_CACHE" $(BIN)/python -m codeassist.cli terminology build
	@CODEASSIST_CHROMIUM="$$(tools/chromium)" CODEASSIST_CACHE_DIR="$$CODEASSIST_TEST_CACHE" OMP_NUM_THREADS=1 \
		$(BIN)/python -m pytest -n $(JOBS) --dist loadscope -rs $(ARGS)

bars: setup-test
	@CODEASSIST_CACHE_DIR="$$CODEASSIST_TEST_CACHE" $(BIN)/python -m codeassist.cli terminology build
	@CODEASSIST_CHROMIUM="$$(tools/chromium)" CODEASSIST_CACHE_DIR="$$CODEASSIST_TEST_CACHE" OMP_NUM_THREADS=1 \
		$(BIN)/python -m pytest -m bars -s $(ARGS)

bench-service: setup-test
	@CODEASSIST_CACHE_DIR="$$CODEASSIST_TEST_CACHE" $(BIN)/python -m codeassist.cli terminology build
	@CODEASSIST_CACHE_DIR="$$CODEASSIST_TEST_CACHE" $(BIN)/python tools/load/bench.py --minutes $(MINUTES) $(ARGS)

bench: setup-test
	@$(BIN)/python -m codeassist.cli terminology build
	OMP_NUM_THREADS=1 $(BIN)/python tools/bench.py "$(NOTES)" $(ARGS)

lint: setup-test
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports

format: setup-test
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

accuracy: setup-test
	OMP_NUM_THREADS=1 $(BIN)/python -m codeassist.cli accuracy --shared "$(SHARED)" --report out/accuracy $(ARGS)

bench-train: setup-test
	@$(BIN)/python -m codeassist.cli terminology build
	OMP_NUM_THREADS=1 $(BIN)/python -m training.bench $(ARGS)

bench-batch: setup-test
	@$(BIN)/python -m codeassist.cli terminology build
	OMP_NUM_THREADS=1 $(BIN)/python tools/bench_batch.py "$(NOTES)" $(ARGS)

bundle: setup
	$(BIN)/python tools/bundle.py

setup: $(READY)

setup-test: $(TEST_READY)

$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
		echo "codeassist needs Python 3.11 to 3.13, and $(PYTHON) is not one: name another, as in make PYTHON=python3.12 $(MAKECMDGOALS)"; \
		exit 1; }
	@test "$$($(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = "$(SERIES)" \
		&& grep -qsF "$(CURDIR)/$(VENV)/bin/python" $(BIN)/pip \
		|| $(PYTHON) -m venv --clear $(VENV) \
		|| { echo "the virtual environment could not be made: install Python's venv module (Debian and Ubuntu: apt install python3-venv)"; exit 1; }
	@touch $@

$(READY): | $(MADE)
	$(PIP) install --quiet $(OFFLINE) --require-hashes -r requirements.txt
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@rm -f $(VENV)/.ready-*
	@touch $@

$(TEST_READY): | $(READY)
	$(PIP) install --quiet $(OFFLINE) --require-hashes -r requirements-test.txt
	@rm -f $(VENV)/.ready-test-*
	@touch $@

clean:
	rm -rf $(VENV) build dist .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info src/*.egg-info
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
