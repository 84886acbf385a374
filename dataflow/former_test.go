package dataflow

import "testing"

// TestFormerOfAnotherTask: only an incarnation of the same task lends its memory.
func TestFormerOfAnotherTask(t *testing.T) {
	r := newRig(t, "middle", &forward{}, nil)
	former, other := r.task, *r.info
	for _, c := range []struct {
		info *TaskInfo
		same bool
	}{{r.info, true}, {&other, false}} {
		task, err := NewTask(&r.job, c.info, Env{Host: r, Observer: r, Former: former})
		if err != nil {
			t.Fatal(err)
		}
		if (task == former) != c.same {
			t.Errorf("in the memory of the former: %v, want %v", task == former, c.same)
		}
	}
}

// TestSurrender: a closed task gives back what nobody else holds, once.
func TestSurrender(t *testing.T) {
	r := newRig(t, "middle", &forward{}, nil)
	r.start(1, TaskPlan{})
	own := r.arrive(0, 1, "a")
	r.arrive(0, 2, "b").Shared = true
	if err := r.task.Close(); err != nil {
		t.Fatal(err)
	}
	var back []*Buffer
	for range 2 {
		r.task.Surrender(func(b *Buffer) { back = append(back, b) })
	}
	if len(back) != 1 || back[0] != own {
		t.Errorf("%d buffers came back, want the one that is not shared", len(back))
	}
}
