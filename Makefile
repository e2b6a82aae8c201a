# Everything a developer runs. `make help` lists the targets. All state lives in .venv; `make clean` removes it.

PYTHON ?= python3
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo lab unit test test-all matrix units coverage mutants molecule bench lint pre-commit reference docs galaxy build clean

BIN := .venv/bin
COLLECTIONS := $(CURDIR)/.venv/collections

# Ansible and Python find this checkout, and only it, as ansible_collections.sddc.tokens.
export ANSIBLE_COLLECTIONS_PATH := $(COLLECTIONS)
export PYTHONPATH := $(COLLECTIONS)
export PATH := $(CURDIR)/$(BIN):$(PATH)

# Stamps carry a checksum of what they installed, so that only a change of content installs anything again.
checksum = $(firstword $(shell cat $(1) | cksum))
VENV := .venv/stamps/venv
TESTS := .venv/stamps/tests-$(call checksum,tests/requirements.txt)
LINT := .venv/stamps/lint-$(call checksum,tests/requirements.txt tests/requirements-lint.txt)
WORKFLOWS := .venv/stamps/workflows-$(call checksum,$(addprefix tests/requirements,.txt -lint.txt -workflows.txt))
DOCS := .venv/stamps/docs-$(call checksum,$(addprefix tests/requirements,.txt -lint.txt -docs.txt))
BENCHMARK := .venv/stamps/benchmark-$(call checksum,tests/requirements.txt tests/requirements-benchmark.txt)
CORES := .venv/stamps/cores-$(call checksum,tests/tools/install_cores.py tests/requirements.txt)
FURTHER_CORES := .venv/stamps/further-cores-$(call checksum,tests/tools/install_cores.py tests/requirements.txt)
GALAXY := .venv/stamps/galaxy-$(call checksum,$(addprefix tests/requirements,.txt -lint.txt -galaxy.txt))
COLLECTION := .venv/stamps/collections-$(call checksum,tests/tools/extract_collections.py)
# The vendors' clients: what the tests with them say that they require.
CLIENTS := $(shell sed -n 's/^# Requires //p' tests/conformance/test_*.py)
CONFORMANCE := .venv/stamps/conformance-$(call checksum,tests/conformance/requirements.txt)-$(firstword $(shell echo $(CLIENTS) | cksum))

PIP_INSTALL := -m pip install -qq --disable-pip-version-check --only-binary :all:

# The tests with the vendors' clients have a virtual environment of their own; the others run even if those failed.
# Whatever failed in either is named at the end.
FAILED := .venv/failed-tests
define run_tests
	@: > $(FAILED); status=0; \
	.venv/conformance/bin/python -m pytest -q -rs --failed-to $(FAILED) tests/conformance || status=1; \
	$(BIN)/python -m pytest -q -rs -n auto --dist worksteal --failed-to $(FAILED) $(1) \
	    $(wildcard tests/unit tests/integration) || status=1; \
	cat $(FAILED); exit $$status
endef

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(TESTS) ## Create .venv with everything that demo, lab and tests need
	@echo "Ready: .venv"

demo: $(TESTS) ## Show the modules at work against the lab, in about a minute
	@$(BIN)/python tests/lab/demo

lab: $(TESTS) ## Run the lab in the foreground, to try playbooks against
	@$(BIN)/python tests/lab/run --state-file .lab.json --explain

unit: $(TESTS) ## Run the unit tests, without the slow ones, in about a minute (ARGS="-k lock" for some)
	@$(BIN)/python -m pytest -q -n auto --dist worksteal -m "not slow" tests/unit $(ARGS)

test: $(WORKFLOWS) $(COLLECTION) $(CORES) $(CONFORMANCE) ## Run the tests, without the slow ones
	$(call run_tests,-m "not slow")

test-all: $(WORKFLOWS) $(COLLECTION) $(CORES) $(FURTHER_CORES) $(CONFORMANCE) ## Run every test
	$(call run_tests)
	@$(BIN)/python tests/tools/molecule.py

matrix: $(COLLECTION) ## Run the tests on each core and its Python (LANES="2.16 oldest-requests", PATHS=tests/unit)
	@$(BIN)/python tests/tools/matrix.py $(if $(PATHS),--tests "$(PATHS)") $(LANES)

units: $(TESTS) ## Run the unit tests by ansible-test
	@$(BIN)/python tests/tools/run_ansible_test.py units

coverage: $(COLLECTION) $(CORES) ## Tell which lines and branches of plugins/ the tests run, and demand 95 %
	@$(BIN)/python tests/tools/measure_coverage.py

mutants: $(TESTS) ## Put faults into copies of plugins/, and name those that no test notices (ARGS="--named", 20 minutes)
	@$(BIN)/python tests/tools/mutants.py $(ARGS)

molecule: $(WORKFLOWS) ## Run the scenarios of the roles, twice in a row
	@$(BIN)/python tests/tools/molecule.py

bench: $(BENCHMARK) ## Measure the cost per task; write table and picture into docs/performance (20 minutes)
	@$(BIN)/python tests/benchmark/bench

# One check alone needs less: ansible-lint the collections, the sanity checks of other cores these cores.
LINT_ALSO := $(if $(CHECK),$(if $(filter ansible-lint,$(CHECK)),$(COLLECTION)),$(COLLECTION) $(CORES))
LINT_ALSO += $(if $(filter 2.%,$(CHECK)),$(CORES))

lint: $(LINT) $(LINT_ALSO) ## Run every static check; fail on any finding (CHECK="mypy plugins" for one)
	@$(BIN)/python tests/tools/lint.py $(if $(CHECK),"$(CHECK)")

pre-commit: $(LINT) ## Have git run the quick checks before each commit
	@$(BIN)/pre-commit install

reference: $(TESTS) ## Write the pages of docs/reference that are generated from the code
	@$(BIN)/python tests/tools/reference.py

docs: $(DOCS) ## Build the docs site in dist/docs; fail on any warning and broken link
	@$(BIN)/python tests/tools/docsite.py

build: $(LINT) ## Build the collection's tarball in dist/
	@$(BIN)/python tests/tools/build.py dist

galaxy: $(GALAXY) build ## Import the tarball as Ansible Galaxy does; fail on any warning
	@.venv/galaxy/bin/python tests/tools/import_as_galaxy.py dist/sddc-tokens-*.tar.gz

clean: ## Remove .venv, caches and build results
	@rm -rf .venv .ansible .hypothesis .mypy_cache .pytest_cache .ruff_cache dist .coverage .lab.json .lab.env demo-report.html
	@find . -name .git -prune -o -type d -name __pycache__ -exec rm -rf {} +

$(VENV):
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("$(PYTHON) is Python %d.%d, but this needs" \
	    " Python 3.11 or newer, for example: make PYTHON=python3.11" % sys.version_info[:2])'
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

$(DOCS): | $(TESTS)
	@echo "Installing tests/requirements-docs.txt"
	@$(BIN)/python $(PIP_INSTALL) -r tests/requirements-docs.txt -c tests/requirements.txt -c tests/requirements-lint.txt
	@rm -f .venv/stamps/docs-* && touch $@

$(BENCHMARK): | $(TESTS)
	@echo "Installing tests/requirements-benchmark.txt"
	@$(BIN)/python $(PIP_INSTALL) -r tests/requirements-benchmark.txt -c tests/requirements.txt
	@rm -f .venv/stamps/benchmark-* && touch $@

$(COLLECTION): | $(TESTS)
	@echo "Extracting the collections that the tests need from the ansible package (70 MB, once)"
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
	@echo "Installing $(CLIENTS) (the vendors' clients, 200 MB)"
	@$(BIN)/python -m venv --clear .venv/conformance
	@PIP_CONSTRAINT=tests/conformance/requirements.txt \
	    .venv/conformance/bin/python $(PIP_INSTALL) -r tests/conformance/requirements.txt $(CLIENTS)
	@rm -f .venv/stamps/conformance-* && touch $@
