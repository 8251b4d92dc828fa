# `make app` serves the page, `make test` passes the tests; both make what they need first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
COMPILE := -q --strip-extras --no-emit-index-url --no-emit-find-links --no-emit-options --no-header --no-annotate

.PHONY: app staff index test test-slow test-long check quality calibrate screenshots sbom lock train-reranker train-stance clean

app: $(VENV)/user.done index   ## install, build the index if it is missing or stale, serve the patient's page
	$(BIN)/streamlit run app.py

staff: $(VENV)/user.done index ## the same for staff, with the library and the claims desk
	$(BIN)/streamlit run app.py -- --staff

# Exit 1 may be refused files, or a build that failed: the target goes on only where a whole generation is published.
index: $(VENV)/user.done       ## bring the index up to date
	$(BIN)/python ingest.py || { test $$? -eq 1 && $(BIN)/python -m litsearch report > /dev/null; }

test: $(VENV)/dev.done         ## everything but the slow and long tests
	$(BIN)/python -m pytest -m "not slow and not long"

test-slow: $(VENV)/dev.done    ## faults, damage, malice and claims by the hundred: minutes
	$(BIN)/python -m pytest -m slow

test-long: $(VENV)/dev.done    ## ten thousand hostile strings, ten minutes of load, 200 MB lines: an hour and more
	$(BIN)/python -m pytest -m long

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

# Training reads public data sets from ../shared/data and leaves groups, checkpoints and a model in run/ (training/DATA.md).
RUN := run
GROUPS := general medical own

$(GROUPS:%=$(RUN)/%.jsonl): $(RUN)/%.jsonl: $(VENV)/dev.done
	mkdir -p $(RUN)
	$(BIN)/python -m training.data $* --out $@

$(RUN)/libraries.jsonl: $(VENV)/dev.done
	mkdir -p $(RUN)
	$(BIN)/python -m training.libraries --out $@

train-reranker: $(GROUPS:%=$(RUN)/%.jsonl) $(RUN)/libraries.jsonl ## under three hours on two cores
	$(BIN)/python -m training.reranker $(RUN)/general.jsonl=0.6 $(RUN)/medical.jsonl=0.25 $(RUN)/own.jsonl=0.15 --minutes 70 --out $(RUN)/reranker-1
	$(BIN)/python -m training.reranker $(RUN)/libraries.jsonl=0.6 $(RUN)/own.jsonl=0.12 $(RUN)/medical.jsonl=0.1 $(RUN)/general.jsonl=0.18 \
		--start $(RUN)/reranker-1/checkpoint.pt --minutes 60 --lr 5e-5 --negatives 5 --decay --out $(RUN)/reranker
	$(BIN)/python -m training.export reranker $(RUN)/reranker/checkpoint.pt $(RUN)/models/reranker --int8 --card litsearch/models/reranker/README.md --name litsearch-reranker

train-stance: $(VENV)/dev.done ## after train-reranker, whose weights it starts from; under three hours on two cores
	$(BIN)/python -m training.stance --start $(RUN)/reranker-1/checkpoint.pt --minutes 150 --out $(RUN)/stance
	$(BIN)/python -m training.stance --start $(RUN)/reranker-1/checkpoint.pt --minutes 20 --claim-only --out $(RUN)/stance-claim-only

sbom: $(VENV)/dev.done         ## print a software bill of materials (CycloneDX)
	@$(BIN)/python -m tests.robustness.sbom

lock: $(VENV)/dev.done         ## compile requirements*.txt and *.lock from pyproject.toml (minutes)
	$(BIN)/pip-compile $(COMPILE) -o requirements.txt pyproject.toml
	$(BIN)/pip-compile $(COMPILE) --extra dev -c requirements.txt -o requirements-dev.txt pyproject.toml
	$(BIN)/pip-compile $(COMPILE) --generate-hashes -c requirements.txt -o requirements.lock pyproject.toml
	$(BIN)/pip-compile $(COMPILE) --generate-hashes --extra dev -c requirements-dev.txt -o requirements-dev.lock pyproject.toml
	sed -i "s/^torch==\(.*\)+cpu$$/torch==\1/" requirements.txt requirements-dev.txt
	for lock in requirements.lock requirements-dev.lock; do \
		awk '/^[^ ]/ {skip = /^(torch==|#)/} NF && !skip' $$lock > $$lock.new && mv $$lock.new $$lock; done

# torch first and by its version alone: its build for processors and that for graphics cards share the version and differ in
# their hashes. Everything else must have the hash that the lock names; the locks hold what torch needs as well.
$(VENV)/user.done: requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps torch==2.13.0
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	touch $@

$(VENV)/dev.done: requirements-dev.lock $(VENV)/user.done
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.lock
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
