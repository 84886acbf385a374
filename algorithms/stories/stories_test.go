package stories

import (
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestStories tells every story of testdata. After a change that is meant, look
// at every line that differs, then: go test ./algorithms/stories -rewrite.
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) { Run(t, path) })
}
