# Ibora's front door. `make` lists what there is. Needs Python 3.11 or newer, git and make; the rest it fetches.
# A variable given on the command line (`make up LIMITS=relaxed JANITOR_S=5`) reaches the program that is run.

SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	command -v $$name >/dev/null 2>&1 && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { command -v $$name; break; }; done)
# Never through an activated environment's or a moved checkout's scripts: always our own interpreter.
PY := .venv/bin/python
IBORA := $(PY) -m devstack.cli
PYTEST := $(PY) -m pytest
LOCK := $(PY) -m uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-header --python-version 3.11
WORKERS ?= 2
EVERYTHING := libs services e2e-tests
TESTS ?= $(EVERYTHING)
# Only the whole suite can be held to the whole coverage.
COVERAGE = $(if $(filter $(EVERYTHING),$(TESTS)),$(if $(filter-out $(TESTS),$(EVERYTHING)),,--cov \
	--cov-report=json:build/coverage.json --cov-report= -p testkit.coverage_gate))

.PHONY: help .venv demo up down logs status dev test test-unit test-faults test-mutants test-deploy check format schemas bench doctor lock clean clean-venv

help: ## This list
	@awk -F ':.*## ' '/^[a-z.-]+:.*## / { printf "  \033[36m%-12s\033[0m %s\n", $$1, $$2 }' Makefile

.venv: ## The virtual environment, made or brought up to date (every target does it)
	@test -n "$(PYTHON)" || { echo "Ibora needs Python 3.11 or newer; name yours with: make PYTHON=/path/to/python3"; exit 1; }
	@"$(PYTHON)" libs/devstack/bootstrap.py

demo: .venv ## The whole ride, from request to payout, with proof at the end (SEED=n RIDES=n KEEP=1)
	@$(PY) -m demo

up: .venv ## Start the stack and leave it up (LIMITS=relaxed, JANITOR_S=n, …; DATA=keep; NAME=other for a second one)
	@$(IBORA) $(if $(NAME),--name "$(NAME)") stack up $(if $(filter keep,$(DATA)),--keep-data) $(if $(ONLY),--only "$(ONLY)")

down: .venv ## Stop the stack
	@$(IBORA) $(if $(NAME),--name "$(NAME)") stack down

logs: .venv ## Follow the stack's logs (S="payment ledger" for these only)
	@$(IBORA) $(if $(NAME),--name "$(NAME)") stack logs $(S)

status: .venv ## What runs, where, and the admin's password
	@$(IBORA) $(if $(NAME),--name "$(NAME)") stack status

dev: .venv ## One service with reload against the running stack (S=payment)
	@test -n "$(S)" || { echo "which service? make dev S=payment"; exit 1; }
	@$(IBORA) $(if $(NAME),--name "$(NAME)") dev "$(S)"

test: .venv ## Unit, integration and journeys, in parallel, with the coverage gates (WORKERS=n, TESTS=folder)
	@$(IBORA) fetch
	@mkdir -p build
	@$(PYTEST) -n $(WORKERS) --dist loadgroup -q -m "not bench and not faults" $(COVERAGE) --durations=10 \
		$(PYTEST_OPTIONS) $(TESTS)

test-unit: .venv ## The unit tests only: seconds
	@$(PYTEST) -n $(WORKERS) -q $(PYTEST_OPTIONS) libs/*/tests/unit services/*/tests/unit

test-faults: .venv ## The long fault campaigns (SEED=n)
	@$(IBORA) fetch
	@echo "SEED=$${SEED:-7}"
	@$(PYTEST) -q -m faults $(PYTEST_OPTIONS) $(TESTS)

test-mutants: .venv ## Take each guard of the money away: some test must notice (ONLY=part of a name)
	@$(IBORA) fetch
	@$(PY) -m mutants $(if $(ONLY),--only "$(ONLY)")

test-deploy: .venv ## Render and validate the deployment files, and prove that the checks bite
	@PYTHONPATH=deploy $(PY) -m deploy_checks
	@$(PYTEST) -q $(PYTEST_OPTIONS) deploy/tests

check: .venv ## Format, lint, types, import contracts, schemas and the event gate, deployment
	@$(PY) -m devstack.checks

format: .venv ## Put the code in our form
	@$(PY) -m ruff format
	@$(PY) -m ruff check --fix

schemas: .venv ## Generate schemas/ from the code
	@$(IBORA) schemas

bench: .venv ## The figures, in a table and in build/bench-report.json (ONLY=prefix)
	@$(PY) -m load $(if $(ONLY),--only "$(ONLY)")

doctor: .venv ## What is missing on this machine, and the fix
	@$(IBORA) doctor

lock: .venv ## Resolve the dependencies anew: hashes, no addresses
	@$(LOCK) requirements-dev.in -o requirements.lock
	@$(LOCK) -c requirements.lock requirements.in -o requirements-services.lock

clean: .venv ## Stop the stack; forget its data, logs and credentials, and what was built
	@$(IBORA) stack clean
	@rm -rf build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.*

clean-venv: ## Forget the virtual environment
	@rm -rf .venv
