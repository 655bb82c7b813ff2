# Every target makes what it needs; nothing is reinstalled when nothing changed.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: install demo test check format bench clean

install: $(INSTALLED)

$(BIN)/python:
	$(PYTHON) -m venv .venv

# The constraint also holds inside the build environment; torch comes first, pinned.
$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: install
	$(BIN)/lesion demo demo

# Files of tests side by side: most of them wait for processes.
test: install
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: install
	$(BIN)/python -m pytest tests/benchmarks -m benchmark --capture=no

clean:
	rm -rf .venv build dist demo
