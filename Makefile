# Plain go commands with names. `make` alone is what CI runs.
VERSION != git describe --tags --always --dirty 2>/dev/null || echo dev
COMMIT != git rev-parse HEAD 2>/dev/null || true
TOOL := go tool -modfile=tools/go.mod
STAMP := -ldflags '-X main.version=$(VERSION) -X main.commit=$(COMMIT)'
FUZZTIME ?= 20s
# Stamped above instead: the go command fails where git distrusts a checkout.
export GOFLAGS += -buildvcs=false

.PHONY: check build packages test race lint vet fmt fuzz model faults soak bench demo need
check: need vet lint test # formatting is part of lint, the examples are part of test

build:     ; go build -trimpath $(STAMP) ./cmd/inosyncd
packages:  ; VERSION=$(VERSION) COMMIT=$(COMMIT) packaging/build dist
test race: ; go test -race -timeout 40m ./... # a slow machine takes its time
vet:       ; go vet ./...
lint:      ; $(TOOL) golangci-lint run
fmt:       ; $(TOOL) golangci-lint fmt
need:      ; packaging/need gcc rsync ssh ssh-keygen sshd systemd-analyze && { packaging/need chromium promtool rpm || true; }
fuzz: # every fuzz target of every package, FUZZTIME each
	@for p in $$(go list ./...); do for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz'); do \
		go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p || exit 1; done; done
E2E := go test -race -count 1 -timeout 0 ./internal/e2e -run
model:     ; $(E2E) TestModel -parallel 6 -histories=$(or $(N),300) # of changes and faults
faults:    ; $(E2E) TestFaultPoints -parallel 6 -faults.every=1 # kills and failures, at every step
soak:      ; $(E2E) TestSoak -v -soak=$(or $(T),10m)
demo: build; packaging/need rsync && go run ./internal/demo ./inosyncd
bench: # writes docs/benchmarks.md; BENCH=-short is the smallest, and only prints
	packaging/need rsync lsyncd ssh ssh-keygen sshd
	go run ./bench $(or $(BENCH),-o docs/benchmarks.md)
