.PHONY: all test race lint figures mutants sweep bench determinism coverage ci
all: test
test: ; go test ./...
race: ; go test -race ./dataflow/... ./state ./state/heap ./state/storage
lint: ; go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.5.0 run
figures: ; go run ./cmd/figures
mutants: ; go run ./cmd/sim mutants
sweep: ; go run ./cmd/sim
bench: ; go run ./cmd/bench
determinism: ; .ci/determinism
coverage: ; .ci/coverage
ci: ; .ci/run
