# Needs make, Python 3.11 or later, and (unless `pulumi` is installed) Go. `make` alone lists what it can do.

.DEFAULT_GOAL := help
.PHONY: help up down test test-slow fuzz lint fmt lock clean environment engine
.SILENT:

BIN := .venv/bin

# Packages are installed uncompiled, and compiled as they are first imported: an environment that forbids
# writing what was compiled would make every command slow for ever.
unexport PYTHONDONTWRITEBYTECODE

# The first Python that is new enough. The environment's own comes first because it answers fastest.
PYTHON ?= $(shell for python in $(BIN)/python python3.11 python3.12 python3.13 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

help: ## List these commands
	awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: environment ## Set up, start the emulator, tune the models of specs/ and ask each a question
	$(BIN)/tuneform emulator start
	$(BIN)/tuneform up

down: environment ## Stop the emulator; its data stays in .tuneform/, and `make up` goes on from there
	$(BIN)/tuneform emulator stop

test: lint engine ## Everything that CI runs: lint, then all tests but the slow ones
	echo "tests: pytest"
	# In the order of the folders: the sweeps, which take longest, begin first, and no worker is left with one at the end.
	$(BIN)/pytest -q -m "not slow" --numprocesses 3 --dist loadfile --no-loadscope-reorder

test-slow: environment engine ## The soaks and full sweeps
	$(BIN)/pytest -q -m slow

SECONDS ?= 600
fuzz: environment ## Fuzz the reader of specs for SECONDS (600), and keep the inputs that reach new code
	$(BIN)/python -m tests.fuzz $(SECONDS)

lint: environment ## Format, lint rules, types and import contracts, changing nothing
	echo "format: ruff format --check"
	$(BIN)/ruff format --quiet --check infra tests || { echo "   = remedy: make fmt"; exit 1; }
	echo "rules: ruff check"
	$(BIN)/ruff check --quiet infra tests
	echo "types: mypy"
	$(BIN)/mypy --no-error-summary infra tests
	echo "imports: lint-imports"
	contracts=$$($(BIN)/lint-imports --no-logo) || { echo "$$contracts"; exit 1; }

fmt: environment ## Format the code and fix what can be fixed
	$(BIN)/ruff check --quiet --fix-only infra tests
	$(BIN)/ruff format --quiet infra tests

PACK := infra/tuneform/entrypoints/doors/pack
lock: ## Write requirements.lock and that of policy packs anew, newest versions first (needs uv)
	command -v uv >/dev/null || { echo "error: uv is not installed; pip install uv"; exit 1; }
	uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate --all-extras \
		pyproject.toml -o requirements.lock
	uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
		$(PACK)/requirements.in -o $(PACK)/requirements.txt

clean: ## Stop the emulator; remove the environment, caches and local state (a built engine is kept)
	if [ -x $(BIN)/tuneform ]; then $(BIN)/tuneform emulator stop || echo "the emulator was not stopped"; fi
	if [ -d .tuneform ]; then find .tuneform -mindepth 1 -maxdepth 1 ! -name engine -exec rm -rf {} +; fi
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find infra tests -name __pycache__ -prune -exec rm -rf {} +

# What the commands above need first; each does nothing when it is there already.

environment: ## Make .venv what requirements.lock says
	python="$(PYTHON)"; \
	if [ -z "$$python" ]; then echo "error: no Python 3.11 or later was found; install Python 3.11"; exit 1; fi; \
	$$python infra/bootstrap.py

engine: environment ## Find the Pulumi engine, or obtain it below .tuneform/engine
	$(BIN)/python -m tuneform.entrypoints.engine
