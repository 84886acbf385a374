package coordinator

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// Where things stand in checkpoint storage.
const (
	RecordPrefix   = "chk/"   // records: chk/EPOCH
	PlanPrefix     = "plan/"  // plans: plan/NUMBER
	SnapshotPrefix = "snap/"  // snapshot objects: snap/TASK/EPOCH
	FilePrefix     = "files/" // state files: files/TASK/EPOCH-NUMBER
)

// partBytes is the least that an encoded share takes.
const partBytes = 24

const (
	recordMagic   = "WEIRCHKP"
	planMagic     = "WEIRPLAN"
	recordVersion = 2 // since 2 it has the shape of the job
	planVersion   = 3 // since 2 tasks have splits, since 3 there are shapes and former snapshots
)

// Record is what makes a checkpoint true once it is durable: where every
// task's share stands.
type Record struct {
	Job   string
	Epoch id.Epoch
	Nonce uint64
	Shape Shape  // of the job that took it: what the numbers of tasks mean
	Parts []Part // by TaskID
}

// Key is the storage key of the record.
func (r *Record) Key() string { return string(r.appendKey(make([]byte, 0, 32))) }

// Stands reports whether key is the record's.
func (r *Record) Stands(key string) bool {
	return string(r.appendKey(make([]byte, 0, 32))) == key
}

func (r *Record) appendKey(b []byte) []byte { return r.Epoch.Append(append(b, RecordPrefix...)) }

// Encode returns the bytes of the record.
func (r *Record) Encode() []byte {
	size := 64 + len(r.Job)
	for i := range r.Parts {
		p := &r.Parts[i]
		size += partSize(len(p.Ref), len(p.Delivered)+len(p.Sealed), len(p.Files))
	}
	b := append(make([]byte, 0, size), recordMagic...)
	b = append(b, recordVersion, 0)
	b = state.AppendString(b, r.Job)
	b = binary.LittleEndian.AppendUint64(b, uint64(r.Epoch))
	b = binary.LittleEndian.AppendUint64(b, r.Nonce)
	b = appendShape(b, r.Shape)
	b = binary.AppendUvarint(b, uint64(len(r.Parts)))
	for i := range r.Parts {
		b = appendPart(b, r.Parts[i])
	}
	return b
}

// DecodeRecord reads a checkpoint's record.
func DecodeRecord(src []byte) (*Record, error) {
	rd, err := open(src, recordMagic, recordVersion, "checkpoint record")
	if err != nil {
		return nil, err
	}
	r := &Record{Job: string(rd.Bytes()), Epoch: id.Epoch(rd.Uint64()), Nonce: rd.Uint64(), Shape: readShape(rd)}
	r.Parts = make([]Part, rd.Count(partBytes))
	for i := range r.Parts {
		r.Parts[i] = readPart(rd, make([]id.Seq, 0, 8))
	}
	if err := rd.Done(); err != nil {
		return nil, fmt.Errorf("checkpoint record: %w", err)
	}
	return r, nil
}

// ReferencesOf returns what DecodeRecord(src).References() would.
func ReferencesOf(src []byte) ([]string, error) {
	rd, err := open(src, recordMagic, recordVersion, "checkpoint record")
	if err != nil {
		return nil, err
	}
	skipHead(rd)
	n := rd.Count(partBytes)
	keys := make([]string, 0, n)
	var room [16]id.Seq
	for range n {
		p := readPart(rd, room[:0])
		keys = p.AppendReferences(keys)
	}
	if err := rd.Done(); err != nil {
		return nil, fmt.Errorf("checkpoint record: %w", err)
	}
	return keys, nil
}

// LeftIn returns by task which shares of a record are carried over.
func LeftIn(src []byte) ([]bool, error) {
	rd, err := open(src, recordMagic, recordVersion, "checkpoint record")
	if err != nil {
		return nil, err
	}
	skipHead(rd)
	left := make([]bool, rd.Count(partBytes))
	var room [16]id.Seq
	for i := range left {
		p := readPart(rd, room[:0])
		left[i] = p.Left
	}
	return left, rd.Done()
}

// skipHead reads a record up to its shares.
func skipHead(rd *state.Reader) {
	_, _, _ = rd.Bytes(), rd.Uint64(), rd.Uint64()
	for range rd.Count(operatorBytes) {
		_, _ = rd.Bytes(), rd.Size()
	}
}

func open(src []byte, magic string, version int, what string) (*state.Reader, error) {
	if len(src) < 10 || string(src[:8]) != magic {
		return nil, fmt.Errorf("this is no %s of weir: %w", what, state.ErrCorrupt)
	}
	if v := int(src[8]) | int(src[9])<<8; v != version {
		return nil, fmt.Errorf("%s of format version %d, this program reads %d: use the program that wrote it: %w", what, v, version, state.ErrIncompatible)
	}
	return state.NewReader(src[10:]), nil
}

// References returns the keys of every object that the record needs: the
// snapshots and all their files.
func (r *Record) References() []string {
	n := 0
	for i := range r.Parts {
		n += 1 + len(r.Parts[i].Files)
	}
	keys := make([]string, 0, n)
	for i := range r.Parts {
		keys = r.Parts[i].AppendReferences(keys)
	}
	return keys
}

// References returns the keys of every object that the share needs.
func (p *Part) References() []string {
	return p.AppendReferences(make([]string, 0, 1+len(p.Files)))
}

// AppendReferences appends what References returns.
func (p *Part) AppendReferences(keys []string) []string {
	if p.Ref == "" {
		return keys
	}
	keys = append(keys, string(p.Ref))
	for i := range p.Files {
		keys = append(keys, p.Files[i].Name)
	}
	return keys
}

// PlanRecord is a durable plan: what was executed and what counts from then on.
type PlanRecord struct {
	Job   string
	Nonce uint64
	Shape Shape // of the job that it is for
	Plan  dataflow.Plan
	// Retained are the complete checkpoints that this plan found, oldest first;
	// the last one is its base. Besides them only records of the plan's own epochs count.
	Retained []id.Epoch
	// Lineage is the algorithm's own section: which snapshots count where there are no records.
	// Where the job is over it is the root of the savepoint that Claimed returns.
	Lineage []byte
}

// Base is the checkpoint that the plan goes back to, 0 for none.
func (p *PlanRecord) Base() id.Epoch {
	if n := len(p.Retained); n > 0 {
		return p.Retained[n-1]
	}
	return 0
}

// PlanKey is the storage key of plan n.
func PlanKey(n id.Attempt) string { return PlanPrefix + strconv.Itoa(int(n)) }

// Encode returns the bytes of the plan.
func (p *PlanRecord) Encode() []byte {
	b := append([]byte(planMagic), planVersion, 0)
	b = state.AppendString(b, p.Job)
	b = binary.LittleEndian.AppendUint64(b, p.Nonce)
	b = appendShape(b, p.Shape)
	b = binary.LittleEndian.AppendUint32(b, uint32(p.Plan.Number))
	b = binary.AppendUvarint(b, uint64(len(p.Retained)))
	for _, e := range p.Retained {
		b = binary.LittleEndian.AppendUint64(b, uint64(e))
	}
	b = state.AppendBytes(b, p.Lineage)
	b = binary.AppendUvarint(b, uint64(len(p.Plan.Tasks)))
	for i := range p.Plan.Tasks {
		b = dataflow.AppendTaskPlan(b, &p.Plan.Tasks[i])
	}
	return b
}

// DecodePlan reads a durable plan.
func DecodePlan(src []byte) (*PlanRecord, error) {
	rd, err := open(src, planMagic, planVersion, "recovery plan")
	if err != nil {
		return nil, err
	}
	p := &PlanRecord{Job: string(rd.Bytes()), Nonce: rd.Uint64(), Shape: readShape(rd)}
	p.Plan.Number = id.Attempt(rd.Uint32())
	for range rd.Count(8) {
		p.Retained = append(p.Retained, id.Epoch(rd.Uint64()))
	}
	p.Lineage = rd.Bytes()
	for range rd.Count(dataflow.LeastTaskPlan) {
		p.Plan.Tasks = append(p.Plan.Tasks, dataflow.ReadTaskPlan(rd))
	}
	if err := rd.Done(); err != nil {
		return nil, fmt.Errorf("recovery plan: %w", err)
	}
	return p, nil
}

// EpochOfKey returns the epoch in the name of a record, snapshot or state file.
func EpochOfKey(key string) (id.Epoch, bool) {
	name := key[strings.LastIndexByte(key, '/')+1:]
	name, _, _ = strings.Cut(name, "-")
	e, err := id.ParseEpoch(name)
	return e, err == nil
}

// OwnerOfKey returns the task and epoch in the name of a snapshot or state file,
// false for other keys.
func OwnerOfKey(key string) (id.TaskID, id.Epoch, bool) {
	rest, ok := strings.CutPrefix(key, SnapshotPrefix)
	if !ok {
		rest, ok = strings.CutPrefix(key, FilePrefix)
	}
	task, _, _ := strings.Cut(rest, "/")
	n, err := strconv.ParseUint(strings.TrimPrefix(task, "t"), 10, 31)
	if !ok || err != nil {
		return 0, 0, false
	}
	e, ok := EpochOfKey(key)
	return id.TaskID(n), e, ok
}

// AttemptOfPlan returns the number in the key of a plan, false for other keys.
func AttemptOfPlan(key string) (id.Attempt, bool) {
	number, ok := strings.CutPrefix(key, PlanPrefix)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(number, 10, 32)
	return id.Attempt(n), err == nil
}
