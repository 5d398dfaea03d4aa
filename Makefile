# `make demo` and `make test` are all that a newcomer needs; each installs what it uses.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SCENARIO ?= scenarios/high_street.toml

# Never the registry's newest: constraints.txt names every version.
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help install demo test test-slow lint format bench ratios soak tracking crowd-speed service realism train evaluate best-shots clean

help:  ## what each target does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

install: $(VENV)/.installed $(VENV)/.kernels  ## install the harness and its tools into .venv

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else "Python 3.11 or newer is needed, got %d.%d; call make PYTHON=/path/to/newer/python3" % v[:2])'
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable '.[dev]'
	@touch $@

# Compiled loops hold what they call in other files, and numba does not notice when that
# has changed.
$(VENV)/.kernels: $(wildcard sim/*.py sim/*/*.py synthetic_crowds/*.py synthetic_crowds/*/*.py) | $(VENV)/.installed
	@find sim synthetic_crowds -name '*.nb[ci]' -delete
	@touch $@

bench ratios soak tracking crowd-speed service realism train evaluate best-shots: | $(VENV)/.kernels

$(VENV)/.training: $(VENV)/.installed
	$(PIP) --editable '.[dev,training]'
	@touch $@

$(VENV)/.dlib: $(VENV)/.installed
	$(PIP) --editable '.[dev,dlib]'
	@touch $@

# A worker for each of the demo's two cameras, so that slow cores carry them, too.
DEMO = $(BIN)/harness run $(SCENARIO) --set matcher.engine.workers=2

# A run that misses its objectives, or settles none, is a result: its report says so.
demo: install  ## run the main job on the high street and write its report
	@echo $(DEMO)
	@$(DEMO) || { code=$$?; [ $$code -eq 3 ] || [ $$code -eq 4 ] || exit $$code; \
	  echo "The run ended with exit code $$code (3: INVALID or INCONCLUSIVE, 4: an objective missed); the verdict above says why."; }

test: install  ## pass the tests (under ten minutes on two cores)
	$(BIN)/python -m pytest -m "not slow and not perf" --numprocesses 2 --dist loadfile

test-slow: install  ## the tests that take minutes
	$(BIN)/python -m pytest -m slow

lint: install  ## ruff, mypy, codespell
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

format: install  ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.openvino  ## benchmarks, compared with the last saved run; then the table of ratios
	$(BIN)/python -m pytest bench/suites -m perf --benchmark-autosave --benchmark-compare --benchmark-columns=min,median,max,rounds
	$(BIN)/python -m bench.suites.ratios

$(VENV)/.openvino: $(VENV)/.dlib
	$(PIP) --editable '.[dev,dlib,openvino]'
	@touch $@

soak: install  ## half an hour at full load: does memory grow?
	$(BIN)/python -m bench.suites.soak

ratios: $(VENV)/.openvino  ## the matcher against plain loops and untouched indexes, in one run
	$(BIN)/python -m bench.suites.ratios

service: install  ## the matcher behind HTTP: same alerts, its cost, overload, 5,000 made-up requests
	$(BIN)/python -m bench.suites.service_alerts
	$(BIN)/python -m bench.suites.service_overhead
	$(BIN)/python -m bench.suites.service_overload
	$(BIN)/python -m bench.suites.service_schema

# TrackEval asks for OpenCV with windows, which would overwrite ours: without it, then.
tracking: install  ## HOTA, MOTA and IDF1 of the tracker on clips of known truth
	$(PIP) --no-deps trackeval
	$(BIN)/python -m bench.suites.tracking

$(VENV)/.panda3d: $(VENV)/.installed
	$(PIP) --editable '.[dev,general-renderer,gl]'
	@touch $@

crowd-speed: $(VENV)/.panda3d  ## frames and heads a second on one core, and what a person costs
	$(BIN)/python -m bench.suites.crowd_speed

realism: $(VENV)/.dlib  ## do a real detector and a real embedder take these for faces?
	$(BIN)/python -m training.realism

# Processes that render and degrade; networks learn on a GPU where there is one.
WORKERS ?= $(shell nproc)

# The score threshold of the export is the one that operating_point prints.
train: $(VENV)/.training  ## make the reference weights again, from seeds (hours without a GPU)
	$(BIN)/python -m training.faces_dataset first --workers $(WORKERS)
	$(BIN)/python -m training.faces_dataset above --workers $(WORKERS)
	$(BIN)/python -m training.faces_dataset newcomers --workers $(WORKERS)
	$(BIN)/python -m training.train_embedder --workers $(WORKERS)
	$(BIN)/python -m training.train_embedder --start-from training/out/embedder/embedder.pt --epochs 6 --workers $(WORKERS)
	$(BIN)/python -m training.train_embedder --start-from training/out/embedder_second/embedder.pt --out training/out/embedder_third --workers $(WORKERS)
	$(BIN)/python -m training.train_refiner --workers $(WORKERS)
	$(BIN)/python -m training.scenes_dataset --workers $(WORKERS)
	$(BIN)/python -m training.train_detector --workers $(WORKERS)
	$(BIN)/python -m training.operating_point --workers $(WORKERS)
	$(BIN)/python -m training.export --score-threshold 0.712
	$(BIN)/python -m training.calibrate --workers $(WORKERS)
	$(BIN)/python -m training.fit_templates

evaluate: $(VENV)/.training  ## measure the reference weights on people they never saw
	$(BIN)/python -m training.calibrate --workers $(WORKERS)
	$(BIN)/python -m training.evaluate --workers $(WORKERS)

best-shots: $(VENV)/.training  ## which faces of a track are embedded, and how much each weighs
	$(BIN)/python -m training.shots_choice --workers $(WORKERS)

clean:  ## remove caches and runs; .venv stays
	rm -rf .cache runs .mypy_cache .ruff_cache .pytest_cache .hypothesis build
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
