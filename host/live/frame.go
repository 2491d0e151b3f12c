package live

import (
	"encoding/json"
	"maps"
	"strconv"
	"sync"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// ValueMaxBytes is the size above which a value is left out of the stream; the
// node's panel fetches it when somebody looks.
const ValueMaxBytes = 4 << 10

// recordOverheadBytes is what a record takes besides its values, about.
const recordOverheadBytes = 256

// batch is what was published at once. Its encoding is made by the first client that
// needs it and shared by all.
type batch struct {
	records []engine.Record
	bytes   int // about the size of the encoding

	once    sync.Once
	encoded [][]byte
	err     error
}

func newBatch(rs []engine.Record) *batch {
	b := &batch{records: rs}
	for i := range rs {
		b.bytes += recordOverheadBytes + payloadBytes(rs[i].Data)
	}
	return b
}

func (b *batch) firstSeq() uint64 { return b.records[0].Seq }
func (b *batch) lastSeq() uint64  { return b.records[len(b.records)-1].Seq }

// encode returns the records in JSON, large values left out.
func (b *batch) encode() ([][]byte, error) {
	b.once.Do(func() {
		b.encoded = make([][]byte, len(b.records))
		for i, r := range b.records {
			r.Data = omitPayload(r.Data)
			if b.encoded[i], b.err = json.Marshal(r); b.err != nil {
				return
			}
		}
	})
	return b.encoded, b.err
}

const (
	recordsHead = `{"type":"records","records":[`
	recordsTail = `]}`
)

// send writes the records of one batch that the client has not seen.
func (c *client) send(b *batch) error {
	_, err := c.sendAll([]*batch{b})
	return err
}

// sendAll writes the records that the client has not seen, in frames of bounded size.
// It reports a hole when a batch does not continue the one before.
func (c *client) sendAll(bs []*batch) (hole bool, err error) {
	f := frame{client: c, text: []byte(recordsHead)}
	for _, b := range bs {
		if b.lastSeq() <= c.cursor {
			continue
		}
		if b.firstSeq() > c.cursor+1 {
			return true, f.flush()
		}
		enc, err := b.encode()
		if err != nil {
			return false, errInternal
		}
		for _, e := range enc[c.cursor+1-b.firstSeq():] {
			if err := f.add(e); err != nil {
				return false, err
			}
		}
		c.cursor = b.lastSeq()
	}
	return false, f.flush()
}

// frame gathers records until they are written together.
type frame struct {
	client *client
	text   []byte
}

// add takes a record in, after writing those before it if the frame would become too
// large.
func (f *frame) add(record []byte) error {
	if !f.empty() && len(f.text)+len(record) > f.client.opt.FrameMaxBytes {
		if err := f.flush(); err != nil {
			return err
		}
	}
	if !f.empty() {
		f.text = append(f.text, ',')
	}
	f.text = append(f.text, record...)
	return nil
}

// flush writes the frame, if it holds anything, and begins another.
func (f *frame) flush() error {
	if f.empty() {
		return nil
	}
	err := f.client.write(append(f.text, recordsTail...))
	f.text = append(f.text[:0], recordsHead...)
	return err
}

func (f *frame) empty() bool { return len(f.text) == len(recordsHead) }

func snapshotFrame(v engine.RunView) ([]byte, error) {
	v.Variables, v.Outputs = omitValues(v.Variables), omitValues(v.Outputs)
	return json.Marshal(struct {
		Type string         `json:"type"`
		Seq  uint64         `json:"seq"`
		Run  engine.RunView `json:"run"`
	}{"snapshot", v.Seq, v})
}

// omitPayload returns the payload with values above ValueMaxBytes replaced by their
// size.
func omitPayload(p engine.Payload) engine.Payload {
	switch d := p.(type) {
	case engine.NodeChanged:
		d.Inputs, d.Outputs = omit(d.Inputs), omit(d.Outputs)
		d.PluginState, d.Callback = omit(d.PluginState), omit(d.Callback)
		d.Overrides = omitValues(d.Overrides)
		if d.Failure != nil && len(d.Failure.Detail) > ValueMaxBytes {
			f := *d.Failure
			f.Detail = omit(f.Detail)
			d.Failure = &f
		}
		return d
	case engine.RunStarted:
		d.Variables, d.Env = omitValues(d.Variables), omitValues(d.Env)
		return d
	case engine.RunChanged:
		d.Outputs = omitValues(d.Outputs)
		return d
	case engine.VariableSet:
		d.Value = omit(d.Value)
		return d
	case engine.NodeLate:
		d.Data = omit(d.Data)
		return d
	case engine.CallbackKept:
		d.Data = omit(d.Data)
		return d
	case engine.ScopeEntered:
		d.Variables = omitValues(d.Variables)
		return d
	case engine.NodeNoted, engine.TokenMoved, engine.GatewayDecided, engine.NodeHeld, engine.NodeTimer, engine.RollbackChanged:
		return d
	default:
		return p
	}
}

func omit(v json.RawMessage) json.RawMessage {
	if len(v) <= ValueMaxBytes {
		return v
	}
	return json.RawMessage(`{"$omitted":` + strconv.Itoa(len(v)) + `}`)
}

func omitValues(m map[string]json.RawMessage) map[string]json.RawMessage {
	large := false
	for _, v := range m {
		large = large || len(v) > ValueMaxBytes
	}
	if !large {
		return m
	}
	m = maps.Clone(m)
	for k, v := range m {
		m[k] = omit(v)
	}
	return m
}

// payloadBytes is about the size of a payload in the stream.
func payloadBytes(p engine.Payload) int {
	switch d := p.(type) {
	case engine.NodeChanged:
		n := small(d.Inputs) + small(d.Outputs) + small(d.PluginState) + small(d.Callback) + mapBytes(d.Overrides)
		if d.Failure != nil {
			n += len(d.Failure.Message) + small(d.Failure.Detail)
		}
		if d.Wait != nil {
			n += len(d.Wait.Schema) + len(d.Wait.Prompt.En) + len(d.Wait.Prompt.Zh)
		}
		return n
	case engine.RunStarted:
		return mapBytes(d.Variables) + mapBytes(d.Env)
	case engine.RunChanged:
		return mapBytes(d.Outputs) + len(d.Reason)
	case engine.ScopeEntered:
		return mapBytes(d.Variables)
	case engine.RollbackChanged:
		return 64 * len(d.Undone)
	case engine.VariableSet:
		return small(d.Value)
	case engine.NodeNoted:
		return logBytes(d.Log)
	case engine.NodeLate:
		return small(d.Data)
	case engine.CallbackKept:
		return small(d.Data)
	default:
		return 0
	}
}

func logBytes(lines []contract.LogLine) int {
	n := 0
	for _, l := range lines {
		n += len(l.Text) + 64
	}
	return n
}

func small(v json.RawMessage) int { return min(len(v), ValueMaxBytes) }

func mapBytes(m map[string]json.RawMessage) int {
	n := 0
	for k, v := range m {
		n += len(k) + small(v)
	}
	return n
}
