# `make` alone lists the targets. On a fresh Debian machine with a Swift
# toolchain, `make run` and `make test` do everything, packages included.

# Without it the build's file lists change order between runs, and with them
# what is built again.
export SWIFT_DETERMINISTIC_HASHING := 1
export PYTHONDONTWRITEBYTECODE := 1

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

DEBUG := .build/debug/instainstru
RELEASE := .build/release/instainstru
PYTHON := .build/venv/bin/python
SOURCES := Sources Tests Package.swift

# Options for `make run`, e.g. `make run ARGS='--port 9000'`.
ARGS ?=
# How much the long suites do; `make ci` does less.
CRASH_ROUNDS ?= 50
CRASH_ROUNDS_POSTGRES ?= 10
FUZZ_EXAMPLES ?= 50
JOB_STRESS ?= 20000

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Everyday

.PHONY: setup
setup: ## Install the system packages that are missing (apt-get; root or sudo)
	@Scripts/setup build test peers celery

.PHONY: run
run: ## Build quickly and start the demo on embedded SQLite (ARGS='--port 9000')
	@Scripts/setup build
	swift build --product instainstru
	@exec $(DEBUG) demo $(ARGS)

.PHONY: build
build: ## Build the release binary, .build/release/instainstru
	@Scripts/setup build
	swift build -c release --product instainstru

.PHONY: debug
debug:
	@Scripts/setup build
	swift build --product instainstru

.PHONY: test
test: ## Run every test, on SQLite and on a throw-away PostgreSQL (FILTER=Name for some)
	@Scripts/setup build test
	Scripts/with-postgres swift test $(if $(FILTER),--filter '$(FILTER)')

.PHONY: test-celery
test-celery: ## Ask a real Celery cluster through its Flower: Redis, worker, beat
	@Scripts/setup build
	@Scripts/setup celery || [ -z "$${CI:-}" ]
	swift build --build-tests
	@code=0; Scripts/with-celery swift test --skip-build --filter CeleryTests || code=$$?; \
	if [ $$code -eq 69 ] && [ -z "$${CI:-}" ]; then \
	    echo "test-celery: SKIPPED, nothing was tested: Redis or pip is missing (see above)"; \
	else exit $$code; fi

.PHONY: test-stripe
test-stripe: debug ## Drive the built-in Stripe with Stripe's own Python library
	@Scripts/setup test peers
	@Scripts/venv .build/stripe-venv Tests/Stripe/requirements.txt
	Scripts/with-postgres .build/stripe-venv/bin/python Tests/EndToEnd/stripe_sdk.py --binary $(DEBUG)

.PHONY: fmt
fmt: ## Format the sources
	swift format -i -p -r $(SOURCES)

.PHONY: fmt-check
fmt-check: ## Fail if a source is not formatted
	swift format lint --strict -p -r $(SOURCES)

# Generated files

.PHONY: docs
docs: debug ## Write the generated documentation and the API description into Docs/
	$(DEBUG) docs --out Docs

.PHONY: docs-check
docs-check: debug ## Fail if the generated documentation is not up to date
	Scripts/docs-check $(DEBUG)

.PHONY: snapshots
snapshots: ## Write the recorded test snapshots anew; look at the difference before you commit it
	@Scripts/setup build test
	UPDATE_SNAPSHOTS=1 Scripts/with-postgres swift test

# Suites against the running binary

.PHONY: interop
interop: debug venv ## Drive the server with other people's MCP clients, raw exchanges and bad input
	swift build --product mcp-conformance
	$(PYTHON) Tests/Interop/validate_mcp_schema.py .build/debug/mcp-conformance
	@Scripts/setup test
	Scripts/with-postgres $(PYTHON) Tests/Interop/run.py --binary $(DEBUG)

.PHONY: cli
cli: debug ## Use the binary as a person at a terminal does: demo, doctor, call, token, audit
	@Scripts/setup test peers
	WITH_POSTGRES_TLS=on Scripts/with-postgres python3 Tests/EndToEnd/cli.py --binary $(DEBUG)

.PHONY: fuzz
fuzz: debug venv ## Fuzz the HTTP API from its own description (FUZZ_EXAMPLES=50)
	FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(PYTHON) Tests/EndToEnd/fuzz.py --binary $(DEBUG)

.PHONY: crash
crash: debug ## kill -9 under load, restart, lose nothing (CRASH_ROUNDS=50)
	@Scripts/setup test peers
	python3 Tests/EndToEnd/crash.py --binary $(DEBUG) --rounds $(CRASH_ROUNDS)
	WITH_POSTGRES_FSYNC=on Scripts/with-postgres \
	    python3 Tests/EndToEnd/crash.py --binary $(DEBUG) --postgres --rounds $(CRASH_ROUNDS_POSTGRES)

.PHONY: jobs
jobs: ## kill -9 of workers every second: every job has its effect once (JOB_STRESS=20000)
	@Scripts/setup build test peers
	swift build --product bench-jobs
	python3 Tests/EndToEnd/jobs.py --binary .build/debug/bench-jobs --jobs $(JOB_STRESS)
	Scripts/with-postgres \
	    python3 Tests/EndToEnd/jobs.py --binary .build/debug/bench-jobs --postgres --jobs $(JOB_STRESS)

.PHONY: bench
bench: ## Measure the release build and write Benchmarks/README.md (takes an hour)
	@Scripts/setup build test bench
	swift build -c release --product instainstru
	swift build -c release --product bench-echo
	swift build -c release --product bench-jobs
	WITH_POSTGRES_FSYNC=on Scripts/with-postgres \
	    python3 Benchmarks/run.py --binary $(RELEASE) --echo .build/release/bench-echo \
	    --jobs .build/release/bench-jobs

.PHONY: venv
venv:
	@Scripts/setup peers
	@Scripts/venv

# Everything

.PHONY: ci
ci: ## Everything that must hold before a change lands
	@Scripts/step setup Scripts/setup build test peers celery
	@Scripts/step fmt-check $(MAKE) --no-print-directory fmt-check
	@Scripts/step build swift build --build-tests
	@CI=1 Scripts/step test $(MAKE) --no-print-directory test
	@CI=1 Scripts/step celery $(MAKE) --no-print-directory test-celery
	@Scripts/step stripe $(MAKE) --no-print-directory test-stripe
	@Scripts/step docs-check $(MAKE) --no-print-directory docs-check
	@Scripts/step interop $(MAKE) --no-print-directory interop
	@Scripts/step cli $(MAKE) --no-print-directory cli
	@Scripts/step crash $(MAKE) --no-print-directory crash CRASH_ROUNDS=10 CRASH_ROUNDS_POSTGRES=3
	@Scripts/step jobs $(MAKE) --no-print-directory jobs JOB_STRESS=4000
	@Scripts/step fuzz $(MAKE) --no-print-directory fuzz FUZZ_EXAMPLES=15
	@echo "ci: all passed"

.PHONY: clean
clean: ## Remove everything that was built
	rm -rf .build
