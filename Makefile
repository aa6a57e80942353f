# Every target makes what it needs: on a fresh machine Python 3.11 or newer and make are enough.

PYTHON ?= python3
K      ?=
ARGS   ?=
BIN    := .venv/bin
TEST   := $(BIN)/python -m pytest
LINKED := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test check format bench docs clean

help:  ## show this list
	@echo 'understudy: make <target>'
	@echo
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 12
	@echo
	@echo '  PYTHON=python3.13 chooses the interpreter of a new .venv; ARGS="…" goes to demo and bench.'

demo: .venv/.ready  ## real work under real kills, with an account that must balance
	@$(BIN)/understudy demo $(ARGS)

test: .venv/.ready  ## run the tests; K=expression selects some (K='not slow', K=mailbox)
	@$(TEST) -q $(if $(K),-k '$(K)') $(ARGS)

check: .venv/.ready  ## formatting, lint, types (mypy and pyright, both strict), layers
	@echo 'ruff format'; $(BIN)/ruff format --check --output-format concise --quiet || { echo 'run `make format`'; exit 1; }
	@echo 'ruff check';  $(BIN)/ruff check --quiet
	@echo 'mypy';        $(BIN)/python -m mypy --no-error-summary
	@echo 'pyright';     PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/pyright
	@echo 'layers and types in use'; $(TEST) -q tests/test_layers.py tests/test_typing.py

format: .venv/.ready  ## format the code and mend what ruff can mend
	@$(BIN)/ruff check --quiet --fix-only
	@$(BIN)/ruff format

bench: .venv/.ready-bench  ## measure us and our peers in one run
	@$(BIN)/python -m benchmarks $(ARGS)

docs: .venv/.ready-docs  ## build the documentation into build/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict
	@echo 'open build/site/index.html'

clean:  ## remove .venv and everything generated
	@rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One stamp per set of extras: tests and the demo do not wait for what only documentation or benchmarks need.

.venv/.ready: $(LINKED)
	@echo 'Preparing .venv (once, about a minute) …'
	@$(call venv)
	@$(call install,dev$(,)demo)
	@touch $@

.venv/.ready-bench .venv/.ready-docs: .venv/.ready-%: .venv/.ready
	@echo 'Adding what `make $*` needs …'
	@$(call install,$*)
	@touch $@

, := ,

define venv
if command -v uv >/dev/null; then \
  uv venv --quiet --allow-existing --seed --python '$(PYTHON)' .venv; \
else \
  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
    || { echo 'Python 3.11 or newer is needed: make PYTHON=python3.13'; exit 1; }; \
  $(PYTHON) -m venv .venv \
    || { echo 'Python has no venv here: install python3-venv, or uv, and try again'; exit 1; }; \
fi
endef

define install
if command -v uv >/dev/null; then \
  uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[$(1)]'; \
else \
  $(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[$(1)]'; \
fi
endef
