# `make app` serves the page, `make test` passes the tests; both make what they need first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COMPILE := -q --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-options --no-header --no-annotate

.PHONY: app staff index test test-slow check quality calibrate screenshots sbom lock clean

app: $(VENV)/user.done index   ## install, build the index if it is missing or stale, serve the patient's page
	$(BIN)/streamlit run app.py

staff: $(VENV)/user.done index ## the same for staff, with the library and the claims desk
	$(BIN)/streamlit run app.py -- --staff

# Exit 1 may be refused files, or a build that failed: the target goes on only where a whole generation is published.
index: $(VENV)/user.done       ## bring the index up to date
	$(BIN)/python ingest.py || { test $$? -eq 1 && $(BIN)/python -m litsearch report > /dev/null; }

test: $(VENV)/dev.done         ## everything but the slow tests
	$(BIN)/python -m pytest -m "not slow"

test-slow: $(VENV)/dev.done
	$(BIN)/python -m pytest -m slow

check: $(VENV)/dev.done        ## style, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

quality: $(VENV)/dev.done      ## answer the question sets and write docs/RESULTS.md's tables
	$(BIN)/python -m litsearch.evaluation.quality

calibrate: $(VENV)/dev.done    ## fit when a question counts as answered
	$(BIN)/python -m litsearch.evaluation.calibrate

screenshots: $(VENV)/dev.done
	$(BIN)/python -m tests.browser.screenshots

sbom: $(VENV)/dev.done         ## print a software bill of materials (CycloneDX)
	@$(BIN)/python -m tests.robustness.sbom

lock: $(VENV)/dev.done         ## compile requirements*.txt from pyproject.toml
	$(BIN)/pip-compile $(COMPILE) -o requirements.txt pyproject.toml
	$(BIN)/pip-compile $(COMPILE) --extra dev -c requirements.txt -o requirements-dev.txt pyproject.toml
	sed -i "s/^torch==\(.*\)+cpu$$/torch==\1/" requirements.txt requirements-dev.txt

# torch first: the resolver then keeps this build and does not fetch a newer one with gigabytes of GPU packages.
$(VENV)/user.done: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check torch==2.13.0
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/dev.done: requirements-dev.txt $(VENV)/user.done
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
