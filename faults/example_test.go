package faults_test

import (
	"fmt"

	"weir/faults"
	"weir/trace"
)

func ExampleParse() {
	plan, err := faults.Parse(`(plan
		(crash worker=1 at (nth 2 barrier-received))        ; then, during the recovery,
		(crash coordinator at (after (nth 1 worker-crashed) (nth 1 plan-durable))))`)
	if err != nil {
		fmt.Println(err)
		return
	}
	in := faults.NewInjector(plan)
	for _, k := range []trace.Kind{trace.BarrierReceived, trace.PlanDurable, trace.BarrierReceived, trace.WorkerCrashed, trace.PlanDurable} {
		in.Observe(&trace.Event{Kind: k})
		for f, due := in.Next(); due; f, due = in.Next() {
			fmt.Println("after", k, f.Kind, f.Target)
		}
	}
	_, err = faults.Parse("(crash worker=1 at (nth 7 barriers))")
	fmt.Println(err.Error()[:66])
	// Output:
	// after barrier-received crash worker
	// after plan-durable crash coordinator
	// fault plan, line 1, column 27: unknown event "barriers"; known: em
}
