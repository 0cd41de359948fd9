# Everything a checkout needs, from nothing but Python 3.11+: `make demo` shows it, `make test` proves it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The demo installs what it runs; every other target, what it checks with too.
READY := $(VENV)/.ready
# A checkout whose modules were compiled once: later, each process compiles the few that have changed.
COMPILED := $(VENV)/.compiled
LOCK := requirements/lint.txt
DEMO_READY := $(VENV)/.ready-demo
DEMO_LOCK := requirements/demo.txt
SETUP_LOCK := requirements/setup.txt
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python
# A type check of unchanged files is looked up here, from any checkout: 5 s of CPU instead of a minute's.
MYPY_CACHE := $(HOME)/.cache/provisioner-operator/mypy
WORKERS ?= 6
# 0 is one process: on two processors that others use too, each worker's collection and probes cost more than it saves.
COVERAGE_WORKERS ?= auto
PYTEST_ARGS ?=
# Some images switch Python's cache of compiled files off: then each of the many programs compiles all that it imports.
unexport PYTHONDONTWRITEBYTECODE
UNIT_SEEDS ?= 20
SIMULATED := tests/simulation tests/model
BEHAVIOR := tests/component tests/integration
# Checks and simulations take what the others leave of the processors: those wait for processes, some of which have leases and
# heartbeats to renew.
SPARE := nice -n 5
PREPARE := $(BIN)/provisioner-devcluster prepare --coder-provider --opentofu --prometheus --gitops --helm
# Lines and branches that the fast tests cover, in percent, with the same examples in each run: raise a floor when more is reached,
# and lower one only when what it covered moves to a package with a higher one.
COVERAGE_FLOORS := api=99 core=100 kube=99 daemon=85 controller=96 web=92 cli=56

# Of `make image`. The builder is docker if an engine answers, else buildah; its further arguments stand in the Dockerfile.
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
IMAGE ?= provisioner-operator:$(VERSION)
BUILDER ?=
IMAGE_ARGS ?=

# A checkout in which everything is set up has what the demo runs.
DEMO_NEEDS = $(if $(wildcard $(READY)),$(READY),$(DEMO_READY))

.DEFAULT_GOAL := help
ARGS ?=

.PHONY: help demo up down test unit coverage compiled simulation behavior integration e2e mutants bench lint format crds gitops helm docs monitoring devcluster image release sign snapshot lock clean

help: ## List the targets
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(READY): $(LOCK) $(SETUP_LOCK) pyproject.toml
	$(call set_up,$(LOCK))
	@touch $@

$(DEMO_READY): $(DEMO_LOCK) $(SETUP_LOCK) pyproject.toml
	$(call set_up,$(DEMO_LOCK))
	@touch $@

define set_up
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
  { echo "Python 3.11 or newer is needed; '$(PYTHON)' is `$(PYTHON) --version 2>&1`. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
@echo "Setting up $(VENV) (once; `grep -c == $(1)` packages) ..."
@$(PYTHON) -m venv $(VENV)
@# With pip alone, this is a minute of CPU. Only pip knows an index that pip.conf names.
@{ $(PIP) --require-hashes -r $(SETUP_LOCK) && $(UV) --require-hashes -r $(1) && $(UV) --no-deps --editable .; } || \
  { echo "Trying again with pip ..." >&2; $(PIP) --require-hashes -r $(1) && $(PIP) --no-deps --editable .; } || \
  { echo "Installing $(1) failed: is the Python package index reachable? Then run make again." >&2; exit 1; }
endef

demo: $(DEMO_NEEDS) ## The main features end to end; leaves nothing behind
	@$(BIN)/python -m demo run

up: $(DEMO_NEEDS) ## The demo's cluster, operator and daemons, left running to explore (ARGS=--monitoring: dashboards too)
	@$(BIN)/python -m demo up $(ARGS)

down: $(DEMO_NEEDS) ## End what `make up` started
	@$(BIN)/python -m demo down

ifeq ($(PYTEST_ARGS),)
test: coverage simulation behavior ## All tests, against a real control plane
else
test: $(READY)
	@$(PREPARE)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope tests/unit $(SIMULATED) $(BEHAVIOR) $(PYTEST_ARGS)
endif

# What the tests wait for: in `.ci/run`, for compiled files.
FIRST ?=
coverage simulation behavior: | $(FIRST)

compiled: $(COMPILED)

$(COMPILED): $(READY)
	@# Only pytest writes those of test modules, whose assertions it rewrites. What it cannot collect, the tests report.
	@$(BIN)/python -m pytest --collect-only -qq tests >/dev/null || true
	@touch $@

simulation: $(READY) ## Simulated clusters with random faults, and small ones with every single surprise
	@$(SPARE) $(BIN)/python -m pytest -n auto --dist worksteal --timeout 3600 $(SIMULATED) $(PYTEST_ARGS)

behavior: $(READY) ## Tests of processes, and of all of the product on a real control plane
	@$(PREPARE)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope $(BEHAVIOR) $(PYTEST_ARGS)

unit: $(READY) ## The fast tests, without a control plane, and some simulated clusters
	@PROVISIONER_SIMULATION_SEEDS=$(UNIT_SEEDS) $(BIN)/python -m pytest -n auto tests/unit tests/simulation $(PYTEST_ARGS)

coverage: $(READY) ## The fast tests, and what they have to cover
	@$(BIN)/python -m slipcover --json --out .coverage.json -m pytest -n $(COVERAGE_WORKERS) tests/unit --hypothesis-seed=0
	@PYTHONPATH=tests $(BIN)/python -m support.coverage_floors .coverage.json $(COVERAGE_FLOORS)

integration: $(READY) ## Only the tests that need a control plane
	@$(PREPARE)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope tests/integration $(PYTEST_ARGS)

e2e: $(READY) ## Tests on a real node (Linux, root), or on E2E_KUBECONFIG's cluster with the image E2E_IMAGE
	@test -n "$(E2E_KUBECONFIG)" || $(BIN)/provisioner-devcluster prepare --node
	@test -n "$(E2E_KUBECONFIG)" || PYTHONPATH=tests:operator:devcluster $(BIN)/python -m support.images.container_image
	@$(BIN)/python -m pytest tests/e2e $(PYTEST_ARGS)

mutants: $(READY) ## Small changes of the code that the fast tests do not notice (ARGS="--seed 7 --count 160 core"; ARGS=--help)
	@PYTHONPATH=tests:operator $(BIN)/python -m mutation $(ARGS)

bench: $(READY) ## The product measured beside the API server alone and Jobs (ARGS=--quick: some five minutes; ARGS=--help)
	@$(BIN)/provisioner-devcluster prepare
	@PYTHONPATH=.:tests:operator:devcluster $(BIN)/python -m bench $(ARGS)

lint: $(READY) ## Format, lint, types and layers (a unit test compares crds/ with the models)
	@$(SPARE) $(BIN)/ruff format --check
	@$(SPARE) $(BIN)/ruff check
	@$(SPARE) $(BIN)/mypy --cache-dir $(MYPY_CACHE)
	@$(SPARE) $(BIN)/lint-imports

format: $(READY) ## Put the code into its format
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

crds: $(READY) ## Write crds/, and the definition in a component, from the models
	@$(BIN)/python -m provisioner_operator.api.crd.definitions crds manifests/components/match-warnings

gitops: $(READY) ## Write the generated files of gitops/ from its scripts and the models
	@PYTHONPATH=tests:operator $(BIN)/python -m support.gitops

helm: $(READY) ## Write charts/ from manifests/ and packaging/helm
	@PYTHONPATH=packaging/helm $(BIN)/python -m chart

docs: $(READY) ## Write docs/cli.md and docs/reference from the code
	@$(BIN)/python -m provisioner_operator.cli.manual docs/cli.md
	@$(BIN)/python -m provisioner_operator.api.crd.reference docs/reference
	@$(BIN)/python -m provisioner_operator.controller.telemetry.reference docs/reference
	@$(BIN)/python -m provisioner_operator.web.api.reference docs/reference

monitoring: $(READY) ## Rules, dashboards and metrics of objects from monitoring/ (ARGS="--objective 0.99"; ARGS=--help)
	@$(BIN)/python -m monitoring $(ARGS)
	@PYTHONPATH=.:tests:operator $(BIN)/python -m support.state_metrics

devcluster: $(READY) ## A bare control plane, left running; end it with: .venv/bin/provisioner-devcluster down
	@$(BIN)/provisioner-devcluster up

image: ## The container image, by docker or buildah (IMAGE=name:tag BUILDER=... IMAGE_ARGS=..., see Dockerfile)
	@builder="$(BUILDER)"; \
	if [ -z "$$builder" ]; then \
	  if docker info >/dev/null 2>&1; then builder=docker; \
	  elif command -v buildah >/dev/null; then builder=buildah; \
	  else echo "No docker engine answers and there is no buildah: start or install one, or name another with BUILDER=..." >&2; exit 1; fi; \
	fi; \
	set -x; $$builder build --tag $(IMAGE) --label org.opencontainers.image.version=$(VERSION) \
	  --label org.opencontainers.image.revision=$$(git describe --always --dirty --abbrev=40 --exclude='*' 2>/dev/null || echo unknown) $(IMAGE_ARGS) .

# Of `make release`: where the project is published, for krew's manifest.
HOMEPAGE ?= https://example.com/provisioner-operator
DOWNLOADS ?= $(HOMEPAGE)/releases

release: $(READY) ## What a release publishes, into dist/ (IMAGE=... HOMEPAGE=... DOWNLOADS=..., see docs/releasing.md)
	@$(BIN)/python -m release build --image $(IMAGE) --homepage $(HOMEPAGE) --downloads $(DOWNLOADS) $(ARGS)

sign: $(READY) ## Sign the release in dist/ (KEY=an SSH key's file)
	@test -n "$(KEY)" || { echo "Name the file of an SSH key: make sign KEY=~/.ssh/id_ed25519" >&2; exit 1; }
	@$(BIN)/python -m release sign $(KEY)

snapshot: $(READY) ## Keep the definitions and objects of this version, for the tests of all later ones
	@PYTHONPATH=.:tests:operator:devcluster $(BIN)/python -m support.stored_objects v$(VERSION)

LOCKED := $(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --custom-compile-command "make lock" --no-strip-extras
# The build system is an input of two locks, and pyproject.toml names it only once.
BUILD_SYSTEM := $(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")'

lock: $(READY) ## Renew requirements/ from pyproject.toml
	$(LOCKED) --group setup -o $(SETUP_LOCK)
	$(BUILD_SYSTEM) | $(LOCKED) --extra lint --group release -o $(LOCK) pyproject.toml -
	@# The same versions as the ones that the tests ran with.
	$(LOCKED) --constraints $(LOCK) --extra otel --extra web -o requirements/runtime.txt pyproject.toml
	$(LOCKED) --constraints $(LOCK) --extra devcluster --extra web -o $(DEMO_LOCK) pyproject.toml
	$(BUILD_SYSTEM) | $(LOCKED) --group image -o requirements/image.txt -

clean: ## Remove the virtual environment and caches of this checkout
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
