package sim

// Names of the streams whose key is not a delay's; StreamNames has all.
const (
	chooseStream      = "choose"      // task and kind of choice
	clockStream       = "clock"       // coordinator process
	coordinatorStream = "coordinator" // none
	crashStream       = "place.crash" // 0 storage, 1 the external store
	corruptStream     = "corrupt"     // none
	diskStream        = "disk.crash"  // worker
	operatorStream    = "operator"    // task
	queryStream       = "query"       // none
	sinkStream        = "sink"        // task: outcomes of operations; on a tape also what they are about
	storageStream     = "storage"     // task + 1, coordinator 0; likewise
)

// OrderStream is the stream that says what happens next where the order is free. It has no key.
const OrderStream = "order"

// StreamNames returns the names of all streams that a run draws from, which are
// those that can stand on its tape.
func StreamNames() []string {
	return append(append([]string{}, delayNames[:]...), chooseStream, clockStream, coordinatorStream, crashStream, corruptStream, diskStream, operatorStream, OrderStream, queryStream, sinkStream, storageStream)
}
