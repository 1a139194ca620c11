# What one can do here; `make help` lists it. Everything is installed into .venv and pwa/node_modules.
PY := .venv/bin/python
STAMPS := .build
export PATH := $(CURDIR)/.venv/bin:$(PATH)

help: ## list these commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: build ## set up, fill an empty home with the practice commune, and serve it
	$(PY) -m server.cli demo

test: build $(STAMPS)/browser ## all tests: rules, API on both databases, phone core, real browser
	cd pwa && npx tsc -p tsconfig.json
	cd pwa && node --test --test-timeout=60000 ../tests/js/*.test.mjs
	$(PY) -m pytest -q tests e2e

check: build ## style, types and arrows
	.venv/bin/ruff check server sync tests e2e bench
	.venv/bin/mypy sync server/domain server/backup
	.venv/bin/lint-imports
	cd pwa && npm run -s lint && npx tsc -p tsconfig.json

soak: build $(STAMPS)/browser ## 200 kill-and-reopen rounds on phone and server; SOAK="--rounds 20 --seed 1" for others
	$(PY) -m e2e.soak $(SOAK)

bench: build ## measure size and speed, one table
	$(PY) -m bench.run

races: build ## the races and kills at full length (about 15 minutes)
	MINHCHUNG_LONG_RACES=1 $(PY) -m pytest -q -s --timeout=3600 tests/races

sim: build ## the simulation for 5 minutes; more: make sim MINUTES=60 SEED=1 APP=1
	$(PY) -m tests.sim.run --minutes $(or $(MINUTES),5) $(if $(SEED),--seed $(SEED)) $(if $(APP),--app)

mutants: build ## one fault at a time in our own code; the tests must catch every one (about 20 minutes)
	$(PY) -m tests.mutants.run

build: $(STAMPS)/python $(STAMPS)/app ## install what is needed and build the phone app

$(STAMPS)/python: requirements-dev.lock pyproject.toml scripts/bootstrap.sh
	sh scripts/bootstrap.sh
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/npm: pwa/package-lock.json pwa/package.json $(STAMPS)/python
	cd pwa && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(STAMPS)/app: $(STAMPS)/npm pwa/build.mjs pwa/sw.js pwa/index.html pwa/manifest.webmanifest $(shell find pwa/js pwa/css pwa/icons sync/js -type f)
	cd pwa && node build.mjs
	@touch $@

$(STAMPS)/browser: $(STAMPS)/python scripts/browser.sh
	sh scripts/browser.sh
	@touch $@

.PHONY: help run test check soak bench races sim mutants build
