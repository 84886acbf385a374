package protobuf

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// The text of a schema has the message and all that it refers to, in the order in which they are met, and of each
// the fields by number:
//
//	message shop.Account: 1 sum optional int64, 2 notes repeated string, 3 owner optional message shop.Owner;
//	message shop.Owner: 1 name required string
//
// An entry of a map is a message of fields 1 and 2, as it is on the wire.

// schema is what such a text says.
type schema struct {
	root     string
	messages map[string][]field
}

type field struct {
	number      int
	name        string
	cardinality string // optional, required, repeated
	kind        string // as protoreflect.Kind names it
	message     string // of kinds message and group
}

// describe returns the text of a message.
func describe(root protoreflect.MessageDescriptor) string {
	var text []string
	seen := map[protoreflect.FullName]bool{root.FullName(): true}
	for todo := []protoreflect.MessageDescriptor{root}; len(todo) > 0; todo = todo[1:] {
		m := todo[0]
		fields := make([]protoreflect.FieldDescriptor, m.Fields().Len())
		for i := range fields {
			fields[i] = m.Fields().Get(i)
		}
		slices.SortFunc(fields, func(a, b protoreflect.FieldDescriptor) int { return cmp.Compare(a.Number(), b.Number()) })
		var words []string
		for _, f := range fields {
			w := fmt.Sprintf("%d %s %s %s", f.Number(), f.Name(), f.Cardinality(), f.Kind())
			if of := f.Message(); of != nil {
				w += " " + string(of.FullName())
				if !seen[of.FullName()] {
					seen[of.FullName()] = true
					todo = append(todo, of)
				}
			}
			words = append(words, w)
		}
		text = append(text, fmt.Sprintf("message %s: %s", m.FullName(), strings.Join(words, ", ")))
	}
	return strings.Join(text, "; ")
}

// parse reads a text.
func parse(text string) (*schema, error) {
	s := &schema{messages: map[string][]field{}}
	for part := range strings.SplitSeq(text, "; ") {
		head, list, ok := strings.Cut(part, ":")
		name, isMessage := strings.CutPrefix(head, "message ")
		if !ok || !isMessage {
			return nil, fmt.Errorf("%q is no message", part)
		}
		if s.root == "" {
			s.root = name
		}
		s.messages[name] = []field{}
		if list = strings.TrimSpace(list); list == "" {
			continue
		}
		for item := range strings.SplitSeq(list, ", ") {
			f, err := parseField(item)
			if err != nil {
				return nil, err
			}
			s.messages[name] = append(s.messages[name], f)
		}
	}
	return s, nil
}

func parseField(item string) (f field, err error) {
	words := strings.Fields(item)
	if len(words) < 4 {
		return f, fmt.Errorf("%q is no field", item)
	}
	f = field{name: words[1], cardinality: words[2], kind: words[3]}
	if len(words) > 4 {
		f.message = words[4]
	}
	if f.number, err = strconv.Atoi(words[0]); err != nil {
		return f, fmt.Errorf("field %q: %w", item, err)
	}
	return f, nil
}

// reads reports the first field of what a writer wrote that would be read as something else.
func (s *schema) reads(writer *schema) error {
	return (&comparison{writer, s, map[[2]string]bool{}}).messages(writer.root, s.root, "")
}

// comparison goes through messages in pairs, each once.
type comparison struct {
	writer, reader *schema
	seen           map[[2]string]bool
}

func (c *comparison) messages(written, read, path string) error {
	if c.seen[[2]string{written, read}] {
		return nil
	}
	c.seen[[2]string{written, read}] = true
	for _, r := range c.reader.messages[read] {
		at := func(f field) bool { return f.number == r.number }
		i := slices.IndexFunc(c.writer.messages[written], at)
		if i < 0 {
			if r.cardinality == "required" {
				return fmt.Errorf("field %q (%d) is required, and not stored", path+r.name, r.number)
			}
			continue // it has its default
		}
		w := c.writer.messages[written][i]
		if why := w.readAs(r); why != "" {
			return fmt.Errorf("field %q (%d) is stored as %s and read as %s: %s", path+r.name, r.number, w.shape(), r.shape(), why)
		}
		if r.message != "" {
			if err := c.messages(w.message, r.message, path+r.name+"."); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *field) shape() string {
	if f.message != "" {
		return f.cardinality + " " + f.message
	}
	return f.cardinality + " " + f.kind
}

// alike are kinds that look alike on the wire, so that one is read as another; a number that
// does not fit is cut.
var alike = [][]string{{"int32", "int64", "uint32", "uint64", "bool", "enum"}, {"sint32", "sint64"}, {"fixed32", "sfixed32"}, {"fixed64", "sfixed64"}}

// readAs returns why a field that is written as f is not what a reader has it for; "": it is.
func (f *field) readAs(r field) string {
	if (f.cardinality == "repeated") != (r.cardinality == "repeated") {
		return "one of them has several values"
	}
	if r.cardinality == "required" && f.cardinality != "required" {
		return "it may be missing"
	}
	if f.kind == r.kind || f.kind == "string" && r.kind == "bytes" {
		return ""
	}
	for _, kinds := range alike {
		if slices.Contains(kinds, f.kind) && slices.Contains(kinds, r.kind) {
			return ""
		}
	}
	return "they differ on the wire"
}
