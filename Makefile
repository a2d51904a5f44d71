# Every command of the project; each sets up what it needs. `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help demo year serve sandbox test fast lint types machines long bench lock screens docs clean
PY := .venv/bin/python
CLI := .venv/bin/ml-connector
RUN := ./tools/setup run
DEV := ./tools/setup dev
# Half the tests of a run may not wait for the other half: one process a core.
WORKERS ?= auto

## Use it
help: ## list the commands
	@awk '/^## /{printf "\n%s\n", substr($$0,4)} /^[a-z]+:.*## /{split($$0,a,":.*## "); printf "  make %-9s %s\n", a[1], a[2]}' $(MAKEFILE_LIST)
demo: ## live through one month of a firm, both directions, on the embedded database (ARGS='--json')
	@$(RUN) && $(CLI) demo $(ARGS)
year: ## live through twelve months in five currencies, every policy in turn (ARGS='--seed 8 --invoices 40')
	@$(RUN) && $(CLI) demo --months 12 $(ARGS)
serve: ## run the service: webhooks, schedules and workers (ARGS='--port 8080')
	@$(RUN) && $(CLI) serve $(ARGS)
sandbox: ## run both sandboxes until stopped (ARGS='--stripe-port 12111')
	@$(RUN) && $(CLI) sandbox up $(ARGS)

## Work on it
test: ## lint, types, house, all tests on a real PostgreSQL
	@$(DEV) && ./tools/check
fast: ## the tests of rules and clients only (ARGS='-k refund')
	@$(DEV) && $(PY) -m pytest -n $(WORKERS) tests/basics tests/books tests/http tests/vault tests/stripe tests/acumatica $(ARGS)
lint: ## ruff and the house's floors
	@$(DEV) && .venv/bin/ruff check && .venv/bin/ruff format --check && .venv/bin/lint-imports
types: ## basedpyright, strict
	@$(DEV) && .venv/bin/basedpyright
long: ## every test with many more examples, each sandbox setting by itself, as before a release
	@$(DEV) && ML_EXAMPLES=1000 $(PY) -m pytest -n $(WORKERS) --timeout 3600 $(ARGS)
machines: ## the state machines, of the books and of the whole connector, with many more examples
	@$(DEV) && ML_EXAMPLES=5000 $(PY) -m pytest -n $(WORKERS) --timeout 3600 tests/machines $(ARGS)
bench: ## the benchmarks, by hand; they print ratios (ARGS=accept)
	@$(DEV) && $(PY) -m bench $(ARGS)
screens: ## pictures of every page of the sandboxes and of the mapping, into screens/ (needs chromium)
	@$(DEV) && ./tools/screens
lock: ## pin the newest allowed packages, with hashes and without any host's name
	@$(DEV) && ./tools/lock
docs: ## check the manual: links, functions it names, facts the code rests on
	@$(DEV) && $(PY) tools/check_docs.py
clean: ## remove what the commands above made
	rm -rf .venv .state .hypothesis .pytest_cache .ruff_cache
