# The commands of developers. `make help` lists the targets. `make clean` removes everything that they create.

PYTHON ?= python3
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo lab unit conformance test test-all matrix units coverage mutants molecule bench lint pre-commit reference docs galaxy build clean

BIN := .venv/bin
COLLECTIONS := $(CURDIR)/.venv/collections

# Ansible and Python import ansible_collections.sddc.tokens from this checkout only.
export ANSIBLE_COLLECTIONS_PATH := $(COLLECTIONS)
export PYTHONPATH := $(COLLECTIONS)
export PATH := $(CURDIR)/$(BIN):$(PATH)

# The name of a stamp has a checksum of the requirements: packages are installed again only when these change.
checksum = $(firstword $(shell cat $(1) | cksum))
VENV := .venv/stamps/venv
TESTS := .venv/stamps/tests-$(call checksum,tests/requirements.txt)
LINT := .venv/stamps/lint-$(call checksum,tests/requirements.txt tests/requirements-lint.txt)
WORKFLOWS := .venv/stamps/workflows-$(call checksum,$(addprefix tests/requirements,.txt -lint.txt -workflows.txt))
OPENBAO := .venv/stamps/store-$(call checksum,tests/requirements-store.txt)
DOCS := .venv/stamps/docs-$(call checksum,$(addprefix tests/requirements,.txt -lint.txt -docs.txt))
BENCHMARK := .venv/stamps/benchmark-$(call checksum,tests/requirements.txt tests/requirements-benchmark.txt)
CORES := .venv/stamps/cores-$(call checksum,tests/tools/install_cores.py tests/requirements.txt)
FURTHER_CORES := .venv/stamps/further-cores-$(call checksum,tests/tools/install_cores.py tests/requirements.txt)
GALAXY := .venv/stamps/galaxy-$(call checksum,$(addprefix tests/requirements,.txt -lint.txt -galaxy.txt))
COLLECTION := .venv/stamps/collections-$(call checksum,tests/tools/extract_collections.py)
# The vendors' clients, as the comments in the conformance tests list them.
CLIENTS := $(shell sed -n 's/^# Requires //p' tests/conformance/test_*.py)
CONFORMANCE := .venv/stamps/conformance-$(call checksum,tests/conformance/requirements.txt)-$(firstword $(shell echo $(CLIENTS) | cksum))

# One worker more than there are processors: a test often waits for a program or a server.
export PYTEST_XDIST_AUTO_NUM_WORKERS := $(shell expr 1 + $$(getconf _NPROCESSORS_ONLN))

PIP_INSTALL := -m pip install -qq --disable-pip-version-check --only-binary :all:

# The conformance tests have their own virtual environment. The other tests run even if those fail. The names of all
# failed tests are printed at the end.
FAILED := .venv/failed-tests
define run_tests
	@: > $(FAILED); status=0; \
	.venv/conformance/bin/python -m pytest -q -rs --failed-to $(FAILED) tests/conformance || status=1; \
	$(BIN)/python -m pytest -q -rs -n auto --dist worksteal --failed-to $(FAILED) $(1) \
	    $(wildcard tests/unit tests/integration) || status=1; \
	cat $(FAILED); exit $$status
endef

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(TESTS) ## Create .venv with what demo, lab and unit need
	@echo "Ready: .venv"

demo: $(TESTS) ## Create, reuse, share and revoke tokens in the lab, and write a report (30 seconds)
	@$(BIN)/python tests/lab/demo

# The same ports each time: a token file belongs to a host and a port.
lab: $(TESTS) $(if $(STORE),$(OPENBAO)) ## Run the lab, to try playbooks against it (STORE=1: with OpenBao as the shared store)
	@$(BIN)/python tests/lab/run --state-file .lab.json --first-port 18440 --explain $(if $(STORE),--store)

unit: $(TESTS) ## Run the fast unit tests (a minute; ARGS="-k lock" selects some)
	@$(BIN)/python -m pytest -q -n auto --dist worksteal -m "not slow" tests/unit $(ARGS)

conformance: $(CONFORMANCE) ## Compare the lab with the vendors' clients (ARGS="-k avi" selects some)
	@.venv/conformance/bin/python -m pytest -q -rs tests/conformance $(ARGS)

test: $(WORKFLOWS) $(OPENBAO) $(COLLECTION) $(CORES) $(CONFORMANCE) ## Run the fast tests (8 minutes)
	$(call run_tests,-m "not slow")

test-all: export TESTS_AT_RANDOM := 1
test-all: $(WORKFLOWS) $(OPENBAO) $(COLLECTION) $(CORES) $(FURTHER_CORES) $(CONFORMANCE) ## Run all tests, and molecule
	$(call run_tests)
	@$(BIN)/python tests/tools/molecule.py

matrix: $(COLLECTION) ## Run the fast tests with each ansible-core (LANES="2.16 2.22" and PATHS=tests/unit select some)
	@$(BIN)/python tests/tools/matrix.py $(if $(PATHS),--tests "$(PATHS)") $(LANES)

units: $(TESTS) ## Run the unit tests with ansible-test
	@$(BIN)/python tests/tools/run_ansible_test.py units

coverage: $(COLLECTION) $(CORES) ## Measure the coverage of plugins/, and fail below 95 %
	@$(BIN)/python tests/tools/measure_coverage.py

mutants: $(TESTS) ## Check that tests fail when plugins/ has a fault (20 minutes; ARGS="--named" for listed faults)
	@$(BIN)/python tests/tools/mutants.py $(ARGS)

molecule: $(WORKFLOWS) ## Run the molecule scenarios of the roles, twice in a row
	@$(BIN)/python tests/tools/molecule.py

bench: $(BENCHMARK) ## Measure the cost of a task, and update docs/performance (20 minutes)
	@$(BIN)/python tests/benchmark/bench

# A single check needs less: ansible-lint needs the collections, sanity tests with other cores need these cores.
LINT_ALSO := $(if $(CHECK),$(if $(filter ansible-lint,$(CHECK)),$(COLLECTION)),$(COLLECTION) $(CORES))
LINT_ALSO += $(if $(filter 2.%,$(CHECK)),$(CORES))

lint: $(LINT) $(LINT_ALSO) ## Run all static checks (CHECK="mypy plugins" selects one)
	@$(BIN)/python tests/tools/lint.py $(if $(CHECK),"$(CHECK)")

pre-commit: $(LINT) ## Install a git hook that runs the quick checks before each commit
	@$(BIN)/pre-commit install

reference: $(TESTS) ## Generate the pages of docs/reference from the code
	@$(BIN)/python tests/tools/reference.py

docs: $(DOCS) ## Build the docs site in dist/docs, and fail on warnings and broken links
	@$(BIN)/python tests/tools/docsite.py

build: $(LINT) ## Build the collection's tarball in dist/
	@$(BIN)/python tests/tools/build.py dist

galaxy: $(GALAXY) build ## Import the tarball as Ansible Galaxy does, and fail on warnings
	@.venv/galaxy/bin/python tests/tools/import_as_galaxy.py dist/sddc-tokens-*.tar.gz

clean: ## Remove .venv, caches and build results
	@rm -rf .venv .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache dist .coverage .lab.json .lab.env demo-report.html
	@find . -name .git -prune -o -type d -name __pycache__ -exec rm -rf {} +

$(VENV):
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("$(PYTHON) is Python %d.%d. Python 3.11 or" \
	    " newer is required. Install it and name it, for example: make PYTHON=python3.11" % sys.version_info[:2])'
	@echo "Creating .venv"
	@$(PYTHON) -m venv --clear .venv
	@mkdir -p .venv/stamps .venv/collections/ansible_collections/sddc
	@ln -s ../../../.. .venv/collections/ansible_collections/sddc/tokens
	@touch $@

$(TESTS): | $(VENV)
	@echo "Installing tests/requirements.txt"
	@$(BIN)/python $(PIP_INSTALL) -r tests/requirements.txt
	@rm -f .venv/stamps/tests-* && touch $@

$(LINT): | $(TESTS)
	@echo "Installing tests/requirements-lint.txt"
	@$(BIN)/python $(PIP_INSTALL) -r tests/requirements-lint.txt -c tests/requirements.txt
	@rm -f .venv/stamps/lint-* && touch $@

$(WORKFLOWS): | $(TESTS)
	@echo "Installing tests/requirements-workflows.txt"
	@$(BIN)/python $(PIP_INSTALL) -r tests/requirements-workflows.txt -c tests/requirements.txt -c tests/requirements-lint.txt
	@rm -f .venv/stamps/workflows-* && touch $@

$(OPENBAO): | $(TESTS)
	@echo "Installing tests/requirements-store.txt (75 MB)"
	@$(BIN)/python $(PIP_INSTALL) -r tests/requirements-store.txt \
	    || echo "No OpenBao for this platform: the tests use the store of the lab, and some are skipped"
	@rm -f .venv/stamps/store-* && touch $@

$(DOCS): | $(TESTS)
	@echo "Installing tests/requirements-docs.txt"
	@$(BIN)/python $(PIP_INSTALL) -r tests/requirements-docs.txt -c tests/requirements.txt -c tests/requirements-lint.txt
	@rm -f .venv/stamps/docs-* && touch $@

$(BENCHMARK): | $(TESTS)
	@echo "Installing tests/requirements-benchmark.txt"
	@$(BIN)/python $(PIP_INSTALL) -r tests/requirements-benchmark.txt -c tests/requirements.txt
	@rm -f .venv/stamps/benchmark-* && touch $@

$(COLLECTION): | $(TESTS)
	@echo "Extracting the collections that the tests need from the ansible package (a download of 55 MB)"
	@$(BIN)/python tests/tools/extract_collections.py .venv/collections
	@rm -f .venv/stamps/collections-* && touch $@

$(CORES): | $(TESTS)
	@$(BIN)/python tests/tools/install_cores.py .venv/cores
	@rm -f .venv/stamps/cores-* && touch $@

$(FURTHER_CORES): | $(CORES)
	@$(BIN)/python tests/tools/install_cores.py .venv/cores 2.18 2.20 2.21
	@rm -f .venv/stamps/further-cores-* && touch $@

$(GALAXY): | $(VENV)
	@echo "Installing tests/requirements-galaxy.txt"
	@$(BIN)/python -m venv --clear .venv/galaxy
	@.venv/galaxy/bin/python $(PIP_INSTALL) -r tests/requirements-galaxy.txt -c tests/requirements-lint.txt
	@rm -f .venv/stamps/galaxy-* && touch $@

$(CONFORMANCE): | $(VENV)
	@echo "Installing the vendors' clients: $(CLIENTS) (220 MB on disk)"
	@$(BIN)/python -m venv --clear .venv/conformance
	@PIP_CONSTRAINT=tests/conformance/requirements.txt \
	    .venv/conformance/bin/python $(PIP_INSTALL) -r tests/conformance/requirements.txt $(CLIENTS)
	@rm -f .venv/stamps/conformance-* && touch $@
