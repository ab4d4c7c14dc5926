# Every target sets up what it needs; a second call sets nothing up again.
# Only Python 3.11-3.13 with venv, make and git must be there.

PYTHON ?= python3
STUDY ?= data/demo
DATA ?=
FRESH ?=
DEMO = $(wildcard reports/demo/index.html)
CALIBRATIONS = $(basename $(notdir $(shell grep -l __main__ calibration/*.py)))
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEV_READY := $(VENV)/.ready-to-develop
DOCS_READY := $(VENV)/.ready-for-docs
THEMES := $(VENV)/.ready-for-themes
SPARK := $(if $(shell command -v java 2>/dev/null),$(VENV)/.ready-for-spark)
export UV_COMPILE_BYTECODE := 1
export UV_PYTHON_DOWNLOADS := never
unexport PYTHONDONTWRITEBYTECODE  # or each process would compile the package anew

.DEFAULT_GOAL := reports
.PHONY: reports test test-whole lab lint docs bench calibrate lock clean setup

reports: setup  ## the report on STUDY (default: the made-up company), in reports/
	$(BIN)/nps-research report $(STUDY) $(if $(DATA),--data $(DATA))

test: $(DEV_READY)  ## every test but those of test-whole
	$(BIN)/pytest -n 2 --dist worksteal -m "not whole"

test-whole: $(DEV_READY) $(THEMES) $(SPARK)  ## the whole thing from outside: the real surveys, other surroundings (Spark where there is Java), comments by meaning, a fresh checkout
	$(BIN)/pytest -n 2 --dist worksteal -m whole tests

lab: setup  ## JupyterLab on the notebooks
	JUPYTER_CONFIG_PATH=$(CURDIR)/.jupyter $(BIN)/jupyter lab --notebook-dir=$(CURDIR) --LabApp.default_url=/lab/tree/notebooks/00_study.ipynb \
		$(if $(filter 0,$(shell id -u)),--allow-root)

lint: $(DEV_READY)  ## ruff, mypy, and which room may import which
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(DOCS_READY)  ## the site, in site/: README, how-tos, contract, glossary, every function; after `make reports`, the demo's report, too
	rm -rf site
	$(BIN)/sphinx-build --quiet --fail-on-warning --fresh-env --doctree-dir $(VENV)/.doctrees -c docs $(if $(DEMO),-t demo) . site
	$(if $(DEMO),cp -R reports/demo site/demo)

bench: $(DEV_READY)  ## what it costs, side by side with pandas, Polars, DuckDB, SciPy, LightGBM, nbconvert; rewrites benchmarks/README.md
	$(BIN)/python -m benchmarks

calibrate: $(THEMES)  ## slow studies behind the defaults, into their tables in calibration/; FRESH=1 measures all anew
	set -e; for study in $(CALIBRATIONS); do $(BIN)/python -m calibration.$$study $(if $(FRESH),--fresh); done

lock: setup  ## take newer versions: uv.lock, requirements.lock
	$(UV) lock --upgrade
	$(UV) export --quiet --frozen --no-dev --no-emit-project --no-annotate --no-header --no-hashes --output-file requirements.lock

clean:  ## undo the set-up, the reports and the site
	rm -rf $(VENV) .uv site .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find reports -mindepth 1 ! -name README.md -delete

setup: $(READY)

# uv where it is installed, else from the Python package index into a folder of its own.
UV := $(or $(shell command -v uv 2>/dev/null),$(CURDIR)/.uv/bin/uv)

# What is there stays: between reports and tests nothing is taken away and installed again; `make clean` takes all of it.
SYNC = $(UV) sync --frozen --inexact --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')"

$(READY): uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "Python 3.11, 3.12 or 3.13 is needed; $(PYTHON) is another. Say which: make PYTHON=python3.12" >&2; exit 1; }
	@if [ "$(UV)" = "$(CURDIR)/.uv/bin/uv" ] && [ ! -x "$(UV)" ]; then \
		$(PYTHON) -m venv .uv && .uv/bin/python -m pip install --quiet --disable-pip-version-check uv; \
	fi
	$(SYNC) --no-dev
	@touch $@

$(DEV_READY): $(READY)
	$(SYNC)
	@touch $@

$(DOCS_READY): $(READY)
	$(SYNC) --no-dev --group docs
	@touch $@

$(THEMES): $(DEV_READY)
	$(SYNC) --extra themes
	@touch $@

$(VENV)/.ready-for-spark: $(DEV_READY)
	$(SYNC) --extra spark
	@touch $@
