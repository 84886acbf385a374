package own

import (
	"testing"

	"weir/scenario/simtest"
)

func TestVisits(t *testing.T) { simtest.Check(t, Visits(), Answer) }
