package laiyang

import "weir/dataflow"

// MutantGoneInTransit: a task leaves although what it has sent may not have been received; see
// dataflow.Mutant.
const MutantGoneInTransit dataflow.Mutant = "gone-in-transit"
