package statetest

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"weir/id"
	"weir/state"
)

func testStorageLog(_ *testing.T, s *storageUnderTest) {
	s.everywhere(func() { s.wantGap("log/c1", 0, 1); s.wantLog("log/c1", 5, 5) })
	s.append("log/c1", 1, 0, 2)
	s.append("log/c1", 1, 2, 5)
	s.append("log/c2", 1, 0, 1)
	s.everywhere(func() {
		s.wantLog("log/c1", 0, grid(5), run(1, 0, 5))
		s.wantLog("log/c1", grid(1), grid(3), run(1, 1, 3))
		s.wantLog("log/c1", 2, 3, run(1, 1, 2)) // the whole entry of positions 2 and 3
		s.wantLog("log/c1", 3, 3)
		s.wantGap("log/c1", 0, grid(5)+1)
		s.wantLog("log/c2", 0, grid(1), run(1, 0, 1))
	})
	s.append("log/c1", 1, 3, 8) // the first two are there already
	s.everywhere(func() { s.wantLog("log/c1", 0, grid(8), run(1, 0, 8)) })
	for k := 8; k < 60; k++ { // and goes on after reopening
		s.append("log/c1", 1, k, k+1)
		if k%20 == 0 {
			s.st = s.reopen(k%40 == 0)
		}
	}
	s.everywhere(func() { s.wantLog("log/c1", 0, grid(60), run(1, 0, 60)) })
}

func testStorageLogGaps(_ *testing.T, s *storageUnderTest) {
	s.append("c", 1, 4, 6) // overtook the one before it
	s.everywhere(func() {
		s.wantGap("c", 0, grid(6))
		s.wantGap("c", grid(3), grid(6))
		s.wantLog("c", grid(4), grid(6), run(1, 4, 6))
	})
	s.append("c", 1, 0, 4)
	s.everywhere(func() { s.wantLog("c", 0, grid(6), run(1, 0, 6)) })
}

func testStorageLogBranches(_ *testing.T, s *storageUnderTest) {
	s.append("c", 1, 0, 6)
	s.append("c", 3, 4, 5)
	s.everywhere(func() {
		s.wantLog("c", 0, grid(5), run(1, 0, 4), run(3, 4, 5))
		s.wantGap("c", 0, grid(5)+1) // the old attempt's last entry is cut off
		s.do(appendOp("c", 2, 5, 6), state.Lost)
		s.do(appendOp("c", 1, 0, 6), state.Lost)
	})
	s.append("c", 3, 5, 7)
	s.everywhere(func() { s.wantLog("c", 0, grid(7), run(1, 0, 4), run(3, 4, 7)) })
	// Appends of one attempt may overtake each other, the first ones too.
	s.append("c", 5, 3, 4)
	s.append("c", 5, 2, 3)
	s.everywhere(func() {
		s.wantLog("c", 0, grid(4), run(1, 0, 2), run(5, 2, 4))
		s.wantGap("c", 0, grid(4)+1)
	})
	s.append("c", 6, 4, 4) // nothing to say yet, but fenced from now on
	s.everywhere(func() {
		s.do(appendOp("c", 5, 4, 5), state.Lost)
		s.wantLog("c", 0, grid(4), run(1, 0, 2), run(5, 2, 4))
	})
	s.append("c", 7, 0, 0)
	s.everywhere(func() { s.wantGap("c", 0, 1) })
}

func testStorageLogRefusals(_ *testing.T, s *storageUnderTest) {
	s.append("c", 1, 0, 3)
	bad := appendOp("c", 1, 3, 5)
	bad.To++
	s.do(bad, state.Refused)
	bad = appendOp("c", 1, 3, 5)
	bad.From++
	s.do(bad, state.Refused)
	bad = appendOp("c", 1, 3, 5)
	bad.Data = bad.Data[:len(bad.Data)-1]
	s.do(bad, state.Refused)
	s.do(state.Op{Kind: state.OpAppend, Key: "c", Attempt: 2, From: 2, To: 2}, state.Refused) // inside an entry
	s.everywhere(func() { s.wantLog("c", 0, grid(3), run(1, 0, 3)) })
	s.append("c", 1, 3, 4)
	s.everywhere(func() { s.wantLog("c", 0, grid(4), run(1, 0, 4)) })
}

func testStorageFence(_ *testing.T, s *storageUnderTest) {
	fence := func(prefix string, a id.Attempt) {
		s.t.Helper()
		s.do(state.Op{Kind: state.OpFence, Key: prefix, Attempt: a}, state.OK)
	}
	s.append("log/t1/c1", 2, 0, 2)
	s.append("log/t2/c9", 2, 0, 2)
	fence("log/t1/", 4)
	fence("log/t1/", 3) // a later, lower one takes nothing back
	s.everywhere(func() {
		s.do(appendOp("log/t1/c1", 3, 2, 3), state.Lost)
		s.do(appendOp("log/t1/new", 3, 0, 1), state.Lost)
		s.wantLog("log/t1/c1", 0, grid(2), run(2, 0, 2)) // fencing cuts nothing
		s.wantGap("log/t1/new", 0, 1)
	})
	s.append("log/t2/c9", 2, 2, 3)
	s.append("log/t1/c1", 4, 2, 3)
	s.everywhere(func() {
		s.wantLog("log/t1/c1", 0, grid(3), run(2, 0, 2), run(4, 2, 3))
		s.wantLog("log/t2/c9", 0, grid(3), run(2, 0, 3))
	})
	fence("", 9)
	s.everywhere(func() { s.do(appendOp("log/t2/c9", 8, 3, 4), state.Lost) })
	s.append("log/t2/c9", 9, 3, 4)
}

func testStorageTrim(_ *testing.T, s *storageUnderTest) {
	trim := func(key string, to id.Seq) {
		s.t.Helper()
		s.do(state.Op{Kind: state.OpTrim, Key: key, To: to}, state.OK)
	}
	trim("absent", 7)
	s.append("absent", 1, 0, 1)
	s.wantLog("absent", 0, 1, run(1, 0, 1))

	for k := range 30 {
		s.append("c", 1, k, k+1)
	}
	trim("c", grid(20)+1) // inside an entry of three, which stays
	trim("c", grid(10))
	s.everywhere(func() {
		s.wantGap("c", grid(19), grid(30))
		s.wantLog("c", grid(20), grid(30), run(1, 20, 30))
	})
	s.append("c", 1, 5, 8) // comes too late, and does not come back
	s.append("c", 1, 19, 32)
	s.everywhere(func() {
		s.wantGap("c", grid(5), grid(8))
		s.wantLog("c", grid(20), grid(32), run(1, 20, 32))
	})
	// What a branch has cut off does not come back when the branch is trimmed.
	s.append("c", 2, 25, 27)
	s.append("c", 4, 27, 28)
	trim("c", grid(28))
	s.everywhere(func() {
		s.wantGap("c", grid(27), grid(28))
		s.wantGap("c", grid(28), grid(29))
		s.do(appendOp("c", 3, 28, 29), state.Lost)
	})
	s.append("c", 4, 28, 30)
	s.everywhere(func() { s.wantLog("c", grid(28), grid(30), run(4, 28, 30)) })
}

// testStorageCreateRace lets many ask for one name at once: one wins, all others are
// told whose bytes stand there.
func testStorageCreateRace(t *testing.T, s *storageUnderTest) {
	for round := range 10 {
		key := fmt.Sprintf("plan/%d", round)
		results := make([]state.Result, 8)
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() {
				results[i] = repeat(s.st, state.Op{Kind: state.OpCreate, Key: key, Data: fmt.Appendf(nil, "writer %d", i)})
			})
		}
		wg.Wait()
		winner := s.do(state.Op{Kind: state.OpGet, Key: key}, state.OK).Data
		for i, r := range results {
			won := string(winner) == fmt.Sprintf("writer %d", i)
			if won && r.Status != state.OK || !won && (r.Status != state.Lost || !bytes.Equal(r.Data, winner)) {
				t.Errorf("writer %d: %v with %q, while %q stands there", i, r.Status, r.Data, winner)
			}
		}
	}
}

// testStorageConcurrentUse mixes everything from several goroutines, each on its own names.
func testStorageConcurrentUse(t *testing.T, s *storageUnderTest) {
	const workers, rounds = 6, 15
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			log := fmt.Sprintf("log/c%d", w)
			for k := range rounds {
				ops := []state.Op{
					{Kind: state.OpPut, Key: fmt.Sprintf("chk/%d/t%d", k, w), Data: fmt.Appendf(nil, "%d/%d", k, w)},
					appendOp(log, 1, k, k+1),
					{Kind: state.OpDelete, Key: fmt.Sprintf("chk/%d/t%d", k-3, w)},
					{Kind: state.OpList, Key: "chk/"},
				}
				for _, op := range ops {
					if r := repeat(s.st, op); r.Status != state.OK {
						t.Errorf("%v %q: %v (%v)", op.Kind, op.Key, r.Status, r.Err)
					}
				}
			}
		})
	}
	wg.Wait()
	s.everywhere(func() {
		for w := range workers {
			s.wantLog(fmt.Sprintf("log/c%d", w), 0, grid(rounds), run(1, 0, rounds))
			for k := range rounds {
				if key := fmt.Sprintf("chk/%d/t%d", k, w); k < rounds-3 {
					s.wantNone(key)
				} else {
					s.wantObject(key, fmt.Sprintf("%d/%d", k, w))
				}
			}
		}
	})
}
