package nexmark_test

import (
	"fmt"

	"weir/workloads/nexmark"
)

func ExampleGenerator_Event() {
	s := nexmark.Defaults()
	if err := s.Set("avgBidByteSize", "40"); err != nil {
		fmt.Println(err)
		return
	}
	g, err := nexmark.NewGenerator(s)
	if err != nil {
		fmt.Println(err)
		return
	}
	var e nexmark.Event
	g.Event(4, &e) // events can be made in any order
	fmt.Printf("%s\n", nexmark.AppendEventLine(nil, &e))
	// Output:
	// {"seq":4,"id":4,"kind":"bid","ts":1436918400040,"wall":1436918400040,"wm":1436918400040,"event":{"auction":1000,"bidder":1001,"price":32530001,"dateTime":1436918400040,"extra":"fdiysaV^]"}}
}

func ExampleReference() {
	s := nexmark.Defaults()
	s.NumEvents = 200
	rows, err := nexmark.Reference("q5", s)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range rows {
		fmt.Printf("%s\n", row)
	}
	// Output:
	// {"windowStart":1436918395000,"windowEnd":1436918405000,"auction":1000,"num":184}
	// {"windowStart":1436918400000,"windowEnd":1436918410000,"auction":1000,"num":184}
}
