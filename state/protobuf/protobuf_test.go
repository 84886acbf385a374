package protobuf_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"weir/state"
	"weir/state/protobuf"
)

const (
	optional = descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL
	repeated = descriptorpb.FieldDescriptorProto_LABEL_REPEATED
	required = descriptorpb.FieldDescriptorProto_LABEL_REQUIRED

	anInt32  = descriptorpb.FieldDescriptorProto_TYPE_INT32
	anInt64  = descriptorpb.FieldDescriptorProto_TYPE_INT64
	aZigzag  = descriptorpb.FieldDescriptorProto_TYPE_SINT64
	aString  = descriptorpb.FieldDescriptorProto_TYPE_STRING
	someByte = descriptorpb.FieldDescriptorProto_TYPE_BYTES
	aMessage = descriptorpb.FieldDescriptorProto_TYPE_MESSAGE
)

func field(number int32, name string, label descriptorpb.FieldDescriptorProto_Label, kind descriptorpb.FieldDescriptorProto_Type) *descriptorpb.FieldDescriptorProto {
	f := &descriptorpb.FieldDescriptorProto{Name: proto.String(name), Number: proto.Int32(number), Label: label.Enum(), Type: kind.Enum()}
	if kind == aMessage {
		f.TypeName = proto.String(".shop.Owner")
	}
	return f
}

// message is a type shop.Purse with fields, and shop.Owner whose name has a kind.
func message(t *testing.T, named descriptorpb.FieldDescriptorProto_Type, fields ...*descriptorpb.FieldDescriptorProto) protoreflect.MessageDescriptor {
	t.Helper()
	f, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("purse.proto"), Package: proto.String("shop"), Syntax: proto.String("proto2"),
		MessageType: []*descriptorpb.DescriptorProto{
			{Name: proto.String("Purse"), Field: fields},
			{Name: proto.String("Owner"), Field: []*descriptorpb.FieldDescriptorProto{field(1, "name", optional, named)}},
		},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f.Messages().Get(0)
}

func codec(t *testing.T, version uint32, d protoreflect.MessageDescriptor) *protobuf.Codec[*dynamicpb.Message] {
	t.Helper()
	c, err := protobuf.New("purse", version, func() *dynamicpb.Message { return dynamicpb.NewMessage(d) })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func set(m *dynamicpb.Message, number protoreflect.FieldNumber, v any) {
	m.Set(m.Descriptor().Fields().ByNumber(number), protoreflect.ValueOf(v))
}

func get(m *dynamicpb.Message, number protoreflect.FieldNumber) any {
	return m.Get(m.Descriptor().Fields().ByNumber(number)).Interface()
}

// TestResolution: fields go by number, whatever their name; what is not stored has its
// default; what the reader does not know it writes again.
func TestResolution(t *testing.T) {
	first := message(t, aString, field(1, "cents", optional, anInt32), field(2, "note", optional, aString), field(3, "owner", optional, aMessage))
	second := message(t, aString, field(1, "total", optional, anInt64), field(3, "owner", optional, aMessage), field(4, "since", optional, anInt64))
	writer, reader := codec(t, 1, first), codec(t, 2, second)
	m := dynamicpb.NewMessage(first)
	set(m, 1, int32(-7))
	set(m, 2, "kept")
	owner := dynamicpb.NewMessage(first.Fields().ByNumber(3).Message())
	set(owner, 1, "ada")
	set(m, 3, owner)
	read, err := reader.Reader(writer.Schema())
	if err != nil {
		t.Fatal(err)
	}
	got, err := read(writer.Append(nil, m))
	if err != nil {
		t.Fatal(err)
	}
	if get(got, 1) != int64(-7) || get(got, 4) != int64(0) || len(got.GetUnknown()) == 0 {
		t.Errorf("read as %v", got)
	}
	set(got, 4, int64(9))
	back, err := writer.Reader(reader.Schema())
	if err != nil {
		t.Fatal(err)
	}
	again, err := back(reader.Append(nil, got))
	if err != nil {
		t.Fatal(err)
	}
	if get(again, 1) != int32(-7) || get(again, 2) != "kept" || len(again.GetUnknown()) == 0 {
		t.Errorf("written by version 2 and read by version 1: %v", again)
	}
}

// TestIncompatible: what Protobuf would read as something else without a word names the
// field and both types.
func TestIncompatible(t *testing.T) {
	stored := message(t, aString, field(1, "cents", optional, anInt64), field(2, "note", optional, someByte), field(3, "owner", optional, aMessage))
	writer := codec(t, 1, stored).Schema()
	for _, c := range []struct {
		reader protoreflect.MessageDescriptor
		want   string
	}{
		{message(t, aString, field(1, "cents", optional, aZigzag)), `field "cents" (1) is stored as optional int64 and read as optional sint64: they differ on the wire`},
		{message(t, aString, field(2, "note", optional, aString)), `field "note" (2) is stored as optional bytes and read as optional string`},
		{message(t, aString, field(1, "cents", repeated, anInt64)), `field "cents" (1) is stored as optional int64 and read as repeated int64: one of them has several values`},
		{message(t, aString, field(7, "id", required, anInt64)), `field "id" (7) is required, and not stored`},
		{message(t, aString, field(1, "cents", required, anInt64)), `field "cents" (1) is stored as optional int64 and read as required int64: it may be missing`},
		{message(t, anInt32, field(3, "owner", optional, aMessage)), `field "owner.name" (1) is stored as optional string and read as optional int32`},
		{message(t, aString, field(3, "owner", optional, anInt64)), `field "owner" (3) is stored as optional shop.Owner and read as optional int64`},
	} {
		if _, err := codec(t, 2, c.reader).Reader(writer); !errors.Is(err, state.ErrIncompatible) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want one that wraps ErrIncompatible and says %q", err, c.want)
		}
	}
	for _, s := range []state.Schema{{Version: 1, Language: "avro", Text: `"int"`}, {Version: 1, Language: "protobuf", Text: "nothing"}, {Version: 1, Language: "protobuf", Text: "message a: 1 b"}} {
		if _, err := codec(t, 2, stored).Reader(s); !errors.Is(err, state.ErrIncompatible) {
			t.Errorf("%+v: %v", s, err)
		}
	}
	if _, err := protobuf.New("purse", 0, func() *dynamicpb.Message { return nil }); err == nil {
		t.Error("version 0 is taken")
	}
}

// TestText: the schema in words.
func TestText(t *testing.T) {
	got := codec(t, 1, message(t, aString, field(3, "owner", repeated, aMessage), field(1, "cents", required, anInt64))).Schema().Text
	if want := "message shop.Purse: 1 cents required int64, 3 owner repeated message shop.Owner; message shop.Owner: 1 name optional string"; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestDamage: bytes that are no message are damage.
func TestDamage(t *testing.T) {
	c := codec(t, 1, message(t, aString, field(1, "cents", optional, anInt64)))
	if _, err := c.Decode([]byte{0xff}); !errors.Is(err, state.ErrCorrupt) {
		t.Errorf("%v", err)
	}
}

// choice is the message of fields with the oneof way around those of some numbers.
func choice(t *testing.T, inside []int32, fields ...*descriptorpb.FieldDescriptorProto) protoreflect.MessageDescriptor {
	t.Helper()
	purse := &descriptorpb.DescriptorProto{Name: proto.String("Purse"), Field: fields, OneofDecl: []*descriptorpb.OneofDescriptorProto{{Name: proto.String("way")}}}
	for _, f := range fields {
		if slices.Contains(inside, f.GetNumber()) {
			f.OneofIndex = proto.Int32(0)
		}
	}
	f, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("purse.proto"), Package: proto.String("shop"), Syntax: proto.String("proto2"),
		MessageType: []*descriptorpb.DescriptorProto{purse},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return f.Messages().Get(0)
}

// TestOneof: fields that may be stored together are not read as a oneof, of which Protobuf would
// keep the last without a word. Where at most one can be stored, they are.
func TestOneof(t *testing.T) {
	both := func() []*descriptorpb.FieldDescriptorProto {
		return []*descriptorpb.FieldDescriptorProto{field(1, "mail", optional, aString), field(2, "phone", optional, aString)}
	}
	plain := message(t, aString, both()...)
	joined := choice(t, []int32{1, 2}, both()...)
	m := dynamicpb.NewMessage(plain)
	set(m, 1, "a@b")
	set(m, 2, "555")
	v1, v2 := codec(t, 1, plain), codec(t, 2, joined)
	if lost, err := v2.Decode(v1.Append(nil, m)); err != nil || get(lost, 1) != "" || get(lost, 2) != "555" {
		t.Fatalf("%v, %v: Protobuf was to keep the last of the two", lost, err)
	}
	_, e := state.Bind[*dynamicpb.Message](v2)
	want := `fields "mail" (1) and "phone" (2) may be stored together, and oneof "way" is read with one of them`
	if verdict, err := e.Judge(v1.Schema()); verdict != state.Incompatible || !errors.Is(err, state.ErrIncompatible) || !strings.Contains(err.Error(), want) {
		t.Errorf("verdict %v, %v, want %q", verdict, err, want)
	}
	three := func() []*descriptorpb.FieldDescriptorProto {
		return append(both(), field(3, "post", optional, aString))
	}
	for _, c := range []struct {
		what           string
		stored, read   protoreflect.MessageDescriptor
		readersVerdict state.Verdict
	}{
		{"a oneof as plain fields", joined, plain, state.AfterMigration},
		{"the same oneof with a field more", joined, choice(t, []int32{1, 2, 3}, three()...), state.AfterMigration},
		{"one field put into a oneof with a new one", message(t, aString, field(1, "mail", optional, aString)), joined, state.AfterMigration},
		{"a field put into a oneof that there was", choice(t, []int32{1, 2}, three()...), choice(t, []int32{1, 2, 3}, three()...), state.Incompatible},
	} {
		_, e := state.Bind[*dynamicpb.Message](codec(t, 2, c.read))
		if got, err := e.Judge(codec(t, 1, c.stored).Schema()); got != c.readersVerdict {
			t.Errorf("%s: %v (%v), want %v", c.what, got, err, c.readersVerdict)
		}
	}
	if got, want := v2.Schema().Text, "message shop.Purse: 1 mail optional string oneof way, 2 phone optional string oneof way"; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestCut: a number that does not fit is cut, as the package says.
func TestCut(t *testing.T) {
	wide, narrow := message(t, aString, field(1, "cents", optional, anInt64)), message(t, aString, field(1, "cents", optional, anInt32))
	m := dynamicpb.NewMessage(wide)
	set(m, 1, int64(5)<<32+7)
	read, err := codec(t, 1, narrow).Reader(codec(t, 2, wide).Schema())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := read(codec(t, 2, wide).Append(nil, m)); err != nil || get(got, 1) != int32(7) {
		t.Errorf("%v, %v", got, err)
	}
}
