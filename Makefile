.PHONY: all test race lint figures canaries sweep bench ci
all: test
test: ; go test ./...
race: ; go test -race ./dataflow/... ./state/...
lint: ; golangci-lint run
figures: ; go run ./cmd/figures
canaries: ; go run ./cmd/sim canaries
sweep: ; go run ./cmd/sim
bench: ; go run ./cmd/bench
ci: ; bash .ci/run
