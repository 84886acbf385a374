package savepoint

import (
	"fmt"
	"strings"
)

// Groups is a set of key groups, in order.
type Groups []uint16

// Add adds a group that is not below the last one.
func (g *Groups) Add(group uint16) {
	if n := len(*g); n == 0 || (*g)[n-1] < group {
		*g = append(*g, group)
	}
}

// String lists the groups, for example "0-3, 7".
func (g Groups) String() string {
	var all []string
	for i := 0; i < len(g); {
		end := i + 1
		for end < len(g) && g[end] == g[end-1]+1 {
			end++
		}
		if end-i == 1 {
			all = append(all, fmt.Sprint(g[i]))
		} else {
			all = append(all, fmt.Sprintf("%d-%d", g[i], g[end-1]))
		}
		i = end
	}
	return strings.Join(all, ", ")
}
