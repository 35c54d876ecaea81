# The shop's two commands are `make run` and `make test`; `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
LIBRARIES := libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0
FONTS := fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji
BROWSER := chromium chromium-headless-shell
PROCESSES ?= 4
export SEED ?= 1
unexport PYTHONDONTWRITEBYTECODE  # nobody waits for the same modules to be compiled at every start

.DEFAULT_GOAL := help
.PHONY: help run test thorough rig check bench coverage faults mutants states upgrade-rehearsal requirements translations clean

help: ## List every command
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | sort | awk -F '\t' '{printf "make %-17s %s\n", $$1, $$2}'

run: .venv/.runs static/fonts/fonts.css ## Run the whole shop on this machine, with a simulated Stripe and captured mail
	@exec $(BIN)/python -m giftshop.devserver

test: .venv/.tests static/fonts/fonts.css ## Run all tests: SQLite, PostgreSQL, browser, mail server (SEED= for another order)
	$(BIN)/python -m pytest -n $(PROCESSES) $(TESTS)

check: .venv/.tests static/fonts/fonts.css ## Check format, style, types, layers and migrations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_migrations.py

bench: .venv/.tests static/fonts/fonts.css ## Measure PDFs and pages, each against a yardstick in the same run
	$(BIN)/python -m bench

# The packages of money, and what drives them from outside.
COVERED ?= ledger certificates documents orders payments notifications refunds disputes checkout corrections \
	reconciliation commands office redemption storefront stripe_cases web/test_limiter.py
coverage: .venv/.tests static/fonts/fonts.css ## Run what uses the packages of money, name lines and branches left out, fail below 100 %
	$(BIN)/python -m pytest -n $(PROCESSES) $(COVERED:%=tests/%) --ignore-glob='*_in_a_browser.py' --cov --cov-report=term-missing --cov-fail-under=100

THOROUGH := faults/test_failpoints.py faults/test_killed_processes.py reconciliation/test_event_orders.py refunds/test_money_in_any_order.py \
	storefront/test_hostile_input.py storefront/test_every_currency.py redemption/test_hostile_input_at_the_counter.py staff/test_hostile_input_at_the_door.py
N ?= 100
DB ?= sqlite
faults: .venv/.tests static/fonts/fonts.css ## Buy N certificates while everything breaks by plan (SEED=, DB=postgresql), then compare all books
	$(BIN)/python -m tests.faults $(N) --seed $(SEED) --database $(DB)

BASE ?=
upgrade-rehearsal: .venv/.tests static/fonts/fonts.css ## Update a shop from the version BASE to this one, and compare every word (DATABASE=sqlite, PLANT=word)
	$(BIN)/python -m tests.upgrade $(BASE) $(if $(DATABASE),--database $(DATABASE)) $(if $(PLANT),--plant $(PLANT))

thorough: .venv/.tests static/fonts/fonts.css ## Run the long tests whole: every failpoint, every order of events, 500 hostile inputs a field, every currency, N purchases in storms, then the rig
	FAULTS=thorough $(BIN)/python -m pytest -n $(PROCESSES) $(THOROUGH:%=tests/%)
	$(BIN)/python -m tests.faults $(N) --seed $(SEED) --database sqlite
	$(BIN)/python -m tests.faults $(N) --seed $(SEED) --database postgresql
	$(BIN)/python -m tests.rig

rig: .venv/.tests static/fonts/fonts.css ## Run the shop in production behind Caddy and nginx, with TLS, PostgreSQL, Postfix and a browser (root, Debian)
	$(BIN)/python -m tests.rig

mutants: .venv/.tests static/fonts/fonts.css ## Change the code that moves money bit by bit and count what tests notice (MODULE=ledger for one)
	$(BIN)/python -m tests.mutation $(MODULE)

states: .venv/.tests static/fonts/fonts.css ## Picture every state of a certificate for each of its readers, in docs/states
	@mkdir -p docs/states
	PICTURES=docs/states $(BIN)/python -m pytest -q tests/standings/test_pages_in_a_browser.py

# With extras: where only coverage is pinned, pip takes the newest coverage[toml] and then refuses it.
requirements: ## Pin every dependency again, with hashes (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url -q pyproject.toml -o requirements.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url -q pyproject.toml --extra tests -c requirements.txt -o tests/requirements.txt

PYBABEL := $(BIN)/python -m babel.messages.frontend -q
CATALOGUES = $(wildcard translations/*/LC_MESSAGES/messages.po)
translations: .venv/.tests ## Collect every sentence people read, bring each language up to date with it, and compile them
	$(PYBABEL) extract -F translations/babel.cfg --project=giftshop --copyright-holder=giftshop --no-wrap --add-location=file --sort-by-file -o translations/messages.pot giftshop templates
	@sed -i '/^"POT-Creation-Date/d' translations/messages.pot  # or every run would change it
	$(if $(CATALOGUES),$(PYBABEL) update -i translations/messages.pot -d translations --no-wrap --no-fuzzy-matching)
	$(if $(CATALOGUES),$(PYBABEL) compile -d translations)

clean: ## Forget the installed environment and the shop's data on this machine
	rm -rf .venv instance static/fonts

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "giftshop needs Python 3.11, 3.12 or 3.13; choose one with PYTHON=…"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || deploy/system-packages python3-venv
	@$(PYTHON) -m venv .venv

.venv/.runs: requirements.txt | .venv/bin/python
	@deploy/system-packages $(LIBRARIES)
	@deploy/system-packages $(FONTS) || echo "Going on without: names in other scripts and emoji cannot be printed, and are refused."
	@echo "Installing the Python packages (once)…"
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.venv/.tests: tests/requirements.txt | .venv/bin/python
	@deploy/system-packages $(LIBRARIES) $(FONTS) $(BROWSER)
	@echo "Installing the Python packages for tests (once)…"
	@$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r tests/requirements.txt
	@touch $@ .venv/.runs

static/fonts/fonts.css: giftshop/documents/fonts.py requirements.txt | .venv/bin/python
	@$(BIN)/python -m giftshop.documents.fonts
