# Everything a developer runs. `make` alone prints the list.
# Needs Go (go.mod says which) and Node 20 or later; `make deps` gets the rest from apt.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO      ?= go
CONFIG  ?= responsehub.yaml
IMAGE   ?= responsehub:dev
FUZZ    ?= 20s
BENCH   ?=

# What imports the generated Graph SDK takes minutes to build with the race detector;
# it has its own target. The workers of crashtest are killed by the clock, and the
# detector makes them too slow for it: only its tests within one process run under it.
SLOW := /(remediation/crashtest|connectors/graph|app|demo|clients|conformance|bench|e2e|cmd/.*)$$
TEST     := $(GO) test -p 2 -timeout 8m
# Packages whose tests know -update.
GOLDENS   = $(shell grep -rlE 'flag\.Bool\("update"' --include='*_test.go' . | xargs -r dirname | sort -u)

.PHONY: help
help: ## print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## hub, pretend world and Redis in one process on loopback, with one alert
	$(GO) run ./cmd/responsehub demo

.PHONY: run
run: ## the hub with CONFIG=responsehub.yaml
	$(GO) run ./cmd/responsehub serve --config $(CONFIG)

.PHONY: deps
deps: ## get what the tests need besides Go and Node: redis-server, chromium, fonts, npm tools
	@.ci/deps

.PHONY: test
test: deps ## everything: vet, all tests, then the race detector where it is quick
	$(GO) vet ./...
	$(TEST) ./...
	$(MAKE) --no-print-directory race

.PHONY: race
race: ## the race detector on everything that does not import the Graph SDK
	$(TEST) -race $$($(GO) list ./... | grep -vE '$(SLOW)')
	$(TEST) -race -run 'Linearizable|Lagging|AnyStory|Judge$$' ./remediation/crashtest

.PHONY: race-all
race-all: ## the race detector on everything (slow: builds the Graph SDK with it)
	$(GO) test -race -p 1 -timeout 30m ./...

.PHONY: e2e
e2e: deps ## the stories only
	$(GO) test -count=1 -timeout 8m ./e2e/...

.PHONY: bench
bench: deps ## ratios against floors measured in the same run, a quarter of an hour; BENCH="-only ingest" or "-large=false" narrows them
	$(GO) run ./bench $(BENCH)

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZ=20s
	@grep -rnoE '^func Fuzz[A-Za-z0-9_]*' --include='*_test.go' . | sed -E 's/^(.*)\/[^\/]*:[0-9]+:func (.*)$$/\1 \2/' | sort | \
	while read -r pkg target; do \
		echo "== $$pkg $$target"; \
		$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZ) "$$pkg" || exit 1; \
	done

.PHONY: fuzz-seeds
fuzz-seeds: ## the fuzz targets on their seeds only
	$(GO) test -run '^Fuzz' ./...

VENDOR ?= ../shared/vendor

.PHONY: conformance
conformance: deps ## ours against the vendors' descriptions, the store on a real Redis
	@[ -d "$(VENDOR)" ] || { echo "The vendors' descriptions are not in $(VENDOR); name their folder: make conformance VENDOR=..."; exit 1; }
	RESPONSEHUB_VENDOR='$(abspath $(VENDOR))' $(GO) test -count=1 -tags conformance $$(grep -rl '^//go:build conformance' --include='*_test.go' . | xargs dirname | sort -u)
	$(GO) test -count=1 ./store/...

.PHONY: golden
golden: ## write golden files and the state chart anew; read the diff before you commit it
	$(GO) test $(GOLDENS) -update

.PHONY: pictures
pictures: deps ## draw the pictures of the documents anew
	$(GO) test -count=1 ./clients -run TestPicture -picture docs/card.png
	$(GO) test -count=1 ./clients -run 'TestConsole$$' -console-picture docs/console.png

.PHONY: generate
generate: golden ## everything that is generated
	$(GO) generate ./...

.PHONY: verify
verify: ## what is generated, formatted and required is as it should be
	@bad=$$(git ls-files '*.go' | xargs gofmt -l); [ -z "$$bad" ] || { echo "not gofmt-ed:"; echo "$$bad"; exit 1; }
	$(GO) mod tidy -diff
	$(GO) mod verify
	$(GO) test $(GOLDENS)

.PHONY: lint
lint: bin/golangci-lint ## golangci-lint as pinned in .golangci-version
	bin/golangci-lint run --timeout 15m ./...

bin/golangci-lint: .golangci-version
	GOBIN=$(CURDIR)/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$$(cat .golangci-version)
	@touch $@

.PHONY: vuln
vuln: bin/govulncheck ## known holes in what we import and call (asks vuln.go.dev)
	bin/govulncheck ./...

bin/govulncheck:
	GOBIN=$(CURDIR)/bin $(GO) install golang.org/x/vuln/cmd/govulncheck@v1.9.0

.PHONY: build
build: ## the static binary, dist/responsehub
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o dist/responsehub ./cmd/responsehub

.PHONY: image
image: ## the container image, IMAGE=responsehub:dev
	docker build -t $(IMAGE) .

.PHONY: clean
clean: ## remove what was built here; the build cache stays
	rm -rf bin dist artifacts tools/npm/node_modules
