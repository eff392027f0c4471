# Prerequisites: Python 3.11 or newer, and make.

NAMES := python3.11 python3.12 python3.13 python3.14 python3
# Tried, not only looked for: a version manager can have a name that does not run.
PYTHON = $(shell for name in $(NAMES); do "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && break; done)
VENV := .venv
BIN := $(VENV)/bin
LOCKS := deploy/requirements

# A stamp per lock: installing again is needed when the lock has changed, and only then.
stamp = $(VENV)/.$(1)-$(shell cksum < $(LOCKS)/$(1).txt | tr ' ' '-')
RUNTIME := $(call stamp,runtime)
DEV := $(call stamp,dev)
BENCH := $(call stamp,bench)

.DEFAULT_GOAL := help
.PHONY: help run setup develop test lint bench measure lock
.DELETE_ON_ERROR:

help: ## say what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | while IFS="$$(printf '\t')" read -r name what; do printf '  make %-8s %s\n' "$$name" "$$what"; done

run: setup ## start the desk on HOST:PORT (127.0.0.1:8000); Ctrl-C stops it
	@exec $(BIN)/python manage.py desk --with-parent

setup: $(RUNTIME) ## make the virtual environment and install the locked dependencies

develop: setup $(DEV) ## the same with what tests and checks need

test: develop ## run all tests on the embedded PostgreSQL and Valkey, or on DATABASE_URL and REDIS_URL; ARGS="-k name" for some
	@echo "Compiling the engine, unless it is compiled already"
	@$(BIN)/python -m engine.warm
	@$(BIN)/python -m $(if $(ARGS),pytest $(ARGS),tests.together)

lint: develop ## check style, types, the direction of imports, templates and migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports --no-cache
	$(BIN)/djlint --lint --quiet templates
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check

bench: setup $(if $(AGAINST),$(DEV),$(BENCH)) ## compare our engine with its peers, or this checkout with another one: AGAINST=path
	@$(BIN)/python -m $(if $(AGAINST),benchmarks.pairs --against "$(AGAINST)",benchmarks.run) $(ARGS)

measure: ## print the measures of the house; ARGS=". ../other" beside those of another checkout
	@$(PYTHON) -m tests.house.measures $(ARGS)

lock: ## write the locks anew from pyproject.toml (needs uv)
	$(call compile,runtime,)
	$(call compile,dev,--extra dev)
	$(call compile,bench,--extra dev --extra bench)

compile = uv pip compile pyproject.toml $(2) --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-annotate \
	--quiet --custom-compile-command "make lock" --output-file $(LOCKS)/$(1).txt

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Quarterdeck needs Python 3.11 or newer, and there is none of: $(NAMES). Name one: make PYTHON=/path/to/python"; exit 1; }
	@echo "Making the virtual environment with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "That failed. On Debian and Ubuntu it needs: apt install python3-venv"; exit 1; }

$(VENV)/.runtime-%: | $(BIN)/python
	@$(call install,runtime)

$(VENV)/.dev-%: | $(BIN)/python
	@$(call install,dev)

$(VENV)/.bench-%: | $(BIN)/python
	@$(call install,bench)

# A lock is complete, so pip has nothing to look for: older ones would find a newer `kombu` beside the locked `kombu[redis]`, and refuse it.
install = echo "Installing the locked dependencies ($(1)); the first time takes a minute" && rm -f $(VENV)/.$(1)-* \
	&& $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-input --root-user-action=ignore \
	--no-deps --require-hashes --only-binary :all: --requirement $(LOCKS)/$(1).txt && touch $@
