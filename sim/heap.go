package sim

// heap is a 4-ary heap of events. After a pop the root is a hole, which the next
// push fills: most events beget one.
type heap struct {
	list []event
	hole bool // list[0] is taken
}

func (h *heap) reset() { h.list, h.hole = h.list[:0], false }

func (h *heap) push(e event) {
	if h.hole {
		h.hole = false
		h.down(e)
		return
	}
	h.list = append(h.list, e)
	l := h.list
	i := len(l) - 1
	for i > 0 {
		up := (i - 1) / 4
		if !e.before(&l[up]) {
			break
		}
		l[i] = l[up]
		i = up
	}
	l[i] = e
}

// down puts e where the root is, and then in its place.
func (h *heap) down(e event) {
	l := h.list
	n := len(l)
	i := 0
	for {
		c := 4*i + 1
		if c >= n {
			break
		}
		least := c
		if c+4 <= n { // in pairs and without branches, as none could be foreseen
			four := l[c : c+4 : c+4]
			left := four[1].precedes(&four[0])
			right := 2 + four[3].precedes(&four[2])
			least += left + (right-left)*four[right&3].precedes(&four[left&3])
		} else {
			for k := c + 1; k < n; k++ {
				if l[k].before(&l[least]) {
					least = k
				}
			}
		}
		if !l[least].before(&e) {
			break
		}
		l[i] = l[least]
		i = least
	}
	l[i] = e
}

// fill closes the hole.
func (h *heap) fill() {
	if h.hole {
		h.hole = false
		n := len(h.list) - 1
		last := h.list[n]
		h.list = h.list[:n]
		if n > 0 {
			h.down(last)
		}
	}
}

// min returns the first event, nil if there is none. It is valid until the next push or pop.
func (h *heap) min() *event {
	h.fill()
	if len(h.list) == 0 {
		return nil
	}
	return &h.list[0]
}

// pop takes the first event, which must be there.
func (h *heap) pop() event {
	h.fill()
	h.hole = true
	return h.list[0]
}

// moveTo moves all events to the end of list, in no order.
func (h *heap) moveTo(list []event) []event {
	h.fill()
	list = append(list, h.list...)
	h.list = h.list[:0]
	return list
}
