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
//	message shop.Owner: 1 name required string, 2 mail optional string oneof way, 3 phone optional string oneof way
//
// The oneofs are those of the source, without those that stand for a field that may be absent. An entry of a map is a message of fields 1 and 2, as it is on the wire.

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
	oneof       string // that it is in, at most one of whose fields is set; "": none
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
			if of := f.ContainingOneof(); of != nil && !of.IsSynthetic() {
				w += " oneof " + string(of.Name())
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
	rest := words[4:]
	if (f.kind == "message" || f.kind == "group") && len(rest) > 0 {
		f.message, rest = rest[0], rest[1:]
	}
	if len(rest) == 2 && rest[0] == "oneof" {
		f.oneof, rest = rest[1], nil
	}
	if len(rest) > 0 {
		return f, fmt.Errorf("field %q: %q says nothing", item, strings.Join(rest, " "))
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
	if err := c.oneofs(written, read, path); err != nil {
		return err
	}
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

// oneofs refuses a oneof of the reader with fields that the writer may have set together: the last that is
// stored would be read, and the others be gone.
func (c *comparison) oneofs(written, read, path string) error {
	members := map[string]field{} // the first of each oneof of the reader, as it is written
	for _, w := range c.writer.messages[written] {
		i := slices.IndexFunc(c.reader.messages[read], func(r field) bool { return r.number == w.number })
		if i < 0 || c.reader.messages[read][i].oneof == "" {
			continue
		}
		of := c.reader.messages[read][i].oneof
		first, ok := members[of]
		switch {
		case !ok:
			members[of] = w
		case w.oneof == "" || w.oneof != first.oneof:
			return fmt.Errorf("fields %q (%d) and %q (%d) may be stored together, and oneof %q is read with one of them", path+first.name, first.number, path+w.name, w.number, of)
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

// alike are kinds that look alike on the wire, so that one is read as another. A number that
// does not fit is cut, as Protobuf says. To refuse a narrower kind would be a rule of ours, and would close
// the way back to the version before a field was widened.
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
