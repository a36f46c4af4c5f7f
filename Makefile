# Everything a person or CI runs. 'make demo' and 'make test' install what they need.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
BIN := .venv/bin
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Where it is set, each of the thousands of programs that tests start compiles all that it imports.
unexport PYTHONDONTWRITEBYTECODE
LAB ?= 1

RUNS ?= 5000
STATES ?= 3000
SEED ?= 1
STRIDE ?= 1

.PHONY: help setup demo test check lint types size unit integration ui crash crash-s3 power large test-mount test-dask test-scheduler soak tour docs lock clean bench

help: ## show this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: ## install everything into .venv and build the extension
	@scripts/setup.sh

demo: setup ## run the churn story, then open JupyterLab (LAB=0: stop after the summary)
	@python scripts/demo.py $(if $(filter 0,$(LAB)),--no-lab)

test: ## install everything and run what CI runs
	@scripts/setup.sh --ui-tests
	@$(MAKE) --no-print-directory check unit integration ui

check: lint types size ## format, lint, layers, types, size of what browsers load
lint:
	ruff format --check .
	ruff check .
	lint-imports --no-cache
	jlpm lint:check
size:
	jlpm size
types:
	mypy
	jlpm tsc --noEmit

unit: ## fast tests: no network, no FUSE, no kernel
	pytest tests/unit -n 2 -q
	pytest --doctest-modules jupyter_datalake/model -q
	jlpm test

integration: ## real files, mounts, kernels, servers
	pytest tests/integration tests/faults -q -n 2 --dist loadfile --reruns $(or $(RERUNS),0)

ui: ## JupyterLab in headless Chromium, two servers beside each other
	cd tests/ui && npx playwright test

crash: ## kill verbs at each step and any moment; fill and break their disk (RUNS=5000 SEED=1)
	python -m jupyter_datalake.testing.crashing --mode steps --runs $(RUNS) --seed $(SEED) --stride $(STRIDE)
	python -m jupyter_datalake.testing.crashing --mode moments --runs $(RUNS) --seed $(SEED) --stride $(STRIDE)
	python -m jupyter_datalake.testing.crashing --mode full --runs $(RUNS) --seed $(SEED) --stride $(STRIDE)
	python -m jupyter_datalake.testing.crashing --mode broken --runs $(RUNS) --seed $(SEED) --stride $(STRIDE)

crash-s3: ## kill verbs on lakes in S3, with SQLite and with Postgres (RUNS=5000 SEED=1)
	for stores in s3-sqlite s3-postgres; do \
	  python -m jupyter_datalake.testing.crashing --stores $$stores --mode steps --runs $(RUNS) --seed $(SEED) --stride $(STRIDE); \
	  python -m jupyter_datalake.testing.crashing --stores $$stores --mode moments --runs $(RUNS) --seed $(SEED) --stride $(STRIDE); \
	done

power: ## cut the power at any moment of series of verbs (STATES=3000 SEED=1; needs FUSE)
	python -m jupyter_datalake.testing.power_loss --states $(STATES) --seed $(SEED)

large: ## millions of files and branches, a sparse file of 100 GB, 10 GB of one byte (E11, B8)
	DATALAKE_LARGE_TESTS=1 pytest tests/faults/test_large.py -q -s

test-mount: ## run tests of file systems on a mount (ONLY="posix python fio stress fsx")
	@python tests/suites/run.py $(ONLY)

test-dask: ## run all tests of pipelines on a Dask cluster too, with the lake in S3 and Postgres
	DATALAKE_TEST_EVERYWHERE=1 pytest -q tests/integration/pipelines -k dask

test-scheduler: ## kill the scheduler at any step, and any of several controllers (SEEDS=40)
	DATALAKE_SCHEDULER_SEEDS=$(or $(SEEDS),40) pytest -q tests/faults/test_killed_scheduler.py
	DATALAKE_FLEET_SEEDS=5 DATALAKE_FLEET_ROUNDS=6 \
	  pytest -q tests/integration/pipelines/test_controllers.py -k whoever

soak: ## ten minutes of mixed work on a mount, and what grows meanwhile
	@python tests/suites/soak.py

bench: ## measure against other tools (ONLY="commits trees", SCALE=0.1), into .benchmarks/
	@python tests/benchmarks/run.py $(ONLY) --scale $(or $(SCALE),1.0) $(BENCH)

tour: ## draw the pictures of docs/tour.md anew, of the churn story in a browser
	cd tests/ui && npm run screenshots
	python scripts/pictures.py

docs: ## write docs/reference anew
	python scripts/reference.py

lock: ## resolve the dependencies anew
	uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-emit-index-url --extra lab --extra s3 --extra postgres --extra dask --extra examples --extra dev -o requirements/lock.txt
	printf 'pyfuse3>=3.4\ntrio>=0.27\n' | uv pip compile - --quiet --universal \
	  --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  -c requirements/lock.txt -o requirements/fuse.txt

clean: ## remove what was built; the demo and .venv stay
	rm -rf lib jupyter_datalake/labextension tsconfig.tsbuildinfo .pytest_cache .mypy_cache .ruff_cache
