# Two commands on a fresh machine do everything: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo_output
STAMP := $(VENV)/.installed

.PHONY: demo test test-slow notebooks docs lint wheel clean

# Installed once; again only when the requirements change. What is imported is compiled then: most of
# the thousands of files that come along are not.
$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --editable ".[dev]"
	touch $@

demo: $(STAMP)
	$(BIN)/videolstm-tools make-figures --out $(DEMO)/figures --figures 8 --clips 2 \
	  --action walk --action run --action jump --action crouch --action rise --action punch
	$(BIN)/videolstm-tools finetune composite_youtube $(DEMO)/figures --out $(DEMO)/classifier --compare \
	  --overwrite
	$(BIN)/videolstm-tools make-figures --out $(DEMO)/new --figures 1 --first-figure 100 --clips 1 \
	  --action punch
	$(BIN)/videolstm-tools predict $(DEMO)/classifier $(DEMO)/new/punch/figure100_clip* \
	  --out $(DEMO)/action.png
	$(BIN)/videolstm-tools predict composite_youtube $(DEMO)/new/punch/figure100_clip* \
	  --out $(DEMO)/forecast.png
	@echo "Look at $(DEMO)/: action.png, forecast.png, classifier/comparison.png, classifier/confusion.png"

# A file's tests share what they train. In the tree's order: the last folders are quick ones, so that
# no process waits for the other. Three on two cores, as many tests wait for programs that they start.
PYTEST := $(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

# All but the slow ones.
test: $(STAMP)
	$(PYTEST) -m "not slow"

# `make test-slow UNTIL=$(date -d 'now + 10 minutes' +%s)` begins none later.
UNTIL :=
test-slow: $(STAMP)
	$(PYTEST) -m slow $(if $(UNTIL),--until $(UNTIL) -rs --no-fold-skipped)

# Each from top to bottom, offline; the outputs in the tree stay as they are.
notebooks: $(STAMP)
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m pytest --nbmake --nbmake-timeout=180 \
	  --numprocesses 2 notebooks

docs: $(STAMP)
	$(BIN)/mkdocs build --quiet

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# From nothing: what an earlier build copied would stay in the wheel.
wheel: $(STAMP)
	rm -rf build/lib build/bdist* dist
	$(BIN)/python -m build --wheel --outdir dist .

clean:
	rm -rf $(VENV) $(DEMO) build dist *.egg-info
