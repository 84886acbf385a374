package mattern

import "weir/dataflow"

// MutantNewestOnly: a late message is channel state of the newest round under way, not of those before
// it; see dataflow.Mutant.
const MutantNewestOnly dataflow.Mutant = "newest-only"
