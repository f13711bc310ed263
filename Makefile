# `make train` and `make test` set up .venv on first use; nothing else is needed than Python and make.
PYTHON ?= python3
RUN ?= runs/quickstart
KERAS_BACKEND ?= torch
VENV := .venv
PY := $(VENV)/bin/python
# PyTorch's own index has a build for CPUs of a tenth of the size; used where there is no NVIDIA GPU.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu

.PHONY: train test setup setup-test clean

train: setup
	@if [ -f $(RUN)/metrics.json ]; then \
		echo "$(RUN) is finished:"; cat $(RUN)/metrics.json; \
		echo "look at $(RUN)/val.gif and $(RUN)/curves.png; to start again: make train RUN=runs/other"; \
	elif [ -d $(RUN) ]; then \
		KERAS_BACKEND=$(KERAS_BACKEND) $(PY) scripts/train.py --resume $(RUN); \
	else \
		KERAS_BACKEND=$(KERAS_BACKEND) $(PY) scripts/train.py --out $(RUN); \
	fi

test: setup-test
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(PY) -m pytest -n 2

setup: $(VENV)/.train
setup-test: $(VENV)/.test

$(VENV)/.train: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "keras_cvae needs Python 3.11 or newer; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV): keras, torch and what they need, a few minutes at first"
	@$(PY) -m pip install -q --disable-pip-version-check -c constraints.txt $(call torch_index) -e ".[torch]"
	@touch $@

$(VENV)/.test: $(VENV)/.train
	@$(PY) -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[tensorflow,jax,test]"
	@touch $@

# Nothing on a machine with an NVIDIA GPU, on a Mac, or where the index does not answer.
torch_index = $(shell [ "$$(uname)" = Linux ] && ! command -v nvidia-smi >/dev/null && \
	$(PY) -c 'import urllib.request as u; u.urlopen("$(TORCH_INDEX)/torch/", timeout=5)' 2>/dev/null && \
	echo --extra-index-url $(TORCH_INDEX))

clean:
	rm -rf $(VENV) build dist *.egg-info
