package engine

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/culmhq/culm/pdk/contract"
)

// quickRecord decodes a record of one of the frequent kinds, exactly as AppendRecord
// writes it. It reports false for everything else, also for what is broken: then
// encoding/json decides. A restart reads the records of all live runs, which takes
// several times as long by reflection.
func quickRecord(b []byte) (r Record, ok bool) {
	if !utf8.Valid(b) {
		return r, false
	}
	s := reader{b: b}
	s.skip(`{"seq":`)
	r.Seq = s.uint()
	s.skip(`,"at":`)
	r.At = s.time()
	s.skip(`,"kind":`)
	r.Kind = Kind(s.known(string(KindNodeState), string(KindTokenMoved), string(KindVariable)))
	s.skip(`,"actor":{"id":`)
	r.Actor.ID = s.known("host")
	if s.has(`,"on_behalf_of":`) {
		r.Actor.OnBehalfOf = s.text()
	}
	s.skip(`}`)
	if s.has(`,"command_id":`) {
		r.CommandID = s.text()
	}
	if s.has(`,"node":`) {
		r.Node = s.text()
	}
	s.skip(`,"data":{`)
	switch r.Kind {
	case KindNodeState:
		r.Data = s.nodeChanged()
	case KindTokenMoved:
		r.Data = s.tokenMoved()
	case KindVariable:
		var d VariableSet
		if s.has(`"scope":`) {
			d.Scope = s.text()
			s.skip(`,`)
		}
		s.skip(`"name":`)
		d.Name = s.text()
		s.skip(`,"value":`)
		d.Value = s.raw()
		r.Data = d
	default:
		return r, false
	}
	s.skip(`}}`)
	return r, !s.bad && len(s.b) == 0
}

// reader takes a record apart from its begin; once something is not as expected it is
// bad and stays so.
type reader struct {
	b   []byte
	bad bool
}

func (s *reader) nodeChanged() NodeChanged {
	var d NodeChanged
	s.skip(`"from":`)
	d.From = s.state()
	s.skip(`,"to":`)
	d.To = s.state()
	if s.has(`,"epoch":`) {
		d.Epoch = s.uint()
	}
	s.int(`,"iteration":`, &d.Iteration)
	s.int(`,"attempt":`, &d.Attempt)
	s.int(`,"call":`, &d.Call)
	if s.has(`,"reason":`) {
		d.Reason = contract.Reason(s.known(string(contract.ReasonExecute)))
	}
	s.rest(`,"inputs":`, &d.Inputs)
	s.rest(`,"outputs":`, &d.Outputs)
	s.value(`,"failure":`, &d.Failure)
	s.value(`,"wait":`, &d.Wait)
	s.instant(`,"due":`, &d.Due)
	s.rest(`,"plugin_state":`, &d.PluginState)
	s.int(`,"polls":`, &d.Polls)
	s.rest(`,"callback":`, &d.Callback)
	s.value(`,"overrides":`, &d.Overrides)
	if s.has(`,"digest":`) {
		d.Digest = s.text()
	}
	if s.has(`,"by":`) {
		d.By = s.text()
	}
	s.instant(`,"deadline":`, &d.Deadline)
	s.int(`,"repeat":`, &d.Repeat)
	if s.has(`,"child":`) {
		d.Child = s.text()
	}
	return d
}

func (s *reader) tokenMoved() TokenMoved {
	var d TokenMoved
	s.int(`"token":`, &d.Token)
	s.int(`,"parent":`, &d.Parent)
	if s.has(`,"from":`) {
		d.From = s.text()
	}
	if s.has(`,"to":`) {
		d.To = s.text()
	}
	if s.has(`,"edge":`) {
		d.Edge = s.text()
	}
	return d
}

// has takes a prefix if it is there.
func (s *reader) has(prefix string) bool {
	if len(s.b) < len(prefix) || string(s.b[:len(prefix)]) != prefix {
		return false
	}
	s.b = s.b[len(prefix):]
	return true
}

// skip takes a prefix that must be there.
func (s *reader) skip(prefix string) {
	if !s.has(prefix) {
		s.bad, s.b = true, nil
	}
}

// quoted takes a string without escapes.
func (s *reader) quoted() []byte {
	s.skip(`"`)
	end := bytes.IndexByte(s.b, '"')
	if end < 0 {
		s.bad, s.b = true, nil
		return nil
	}
	q := s.b[:end]
	for _, c := range q {
		if c < ' ' || c == '\\' {
			s.bad = true
		}
	}
	s.b = s.b[end+1:]
	return q
}

func (s *reader) text() string { return string(s.quoted()) }

// known is text that spares the memory of what is frequent.
func (s *reader) known(frequent ...string) string {
	q := s.quoted()
	for _, f := range frequent {
		if string(q) == f {
			return f
		}
	}
	return string(q)
}

func (s *reader) state() NodeState {
	return NodeState(s.known("", string(NodeRunning), string(NodeSucceeded), string(NodeWaiting)))
}

func (s *reader) uint() uint64 {
	n := 0
	for n < len(s.b) && s.b[n] >= '0' && s.b[n] <= '9' {
		n++
	}
	u, err := strconv.ParseUint(string(s.b[:n]), 10, 64)
	if err != nil || n > 1 && s.b[0] == '0' {
		s.bad = true
	}
	s.b = s.b[n:]
	return u
}

// int takes a number if its key is there. Negative ones are not written.
func (s *reader) int(key string, to *int) {
	if !s.has(key) {
		return
	}
	u := s.uint()
	if u > 1<<31 {
		s.bad = true
	}
	*to = int(u)
}

func (s *reader) time() time.Time {
	q := s.quoted()
	var at time.Time
	if at.UnmarshalText(q) != nil || at.Location() != time.UTC {
		s.bad = true
	}
	return at
}

func (s *reader) instant(key string, to **time.Time) {
	if s.has(key) {
		at := s.time()
		*to = &at
	}
}

// raw takes a value of any kind, and copies it.
func (s *reader) raw() json.RawMessage {
	n := valueEnd(s.b)
	v := s.b[:n]
	s.b = s.b[n:]
	if !json.Valid(v) {
		s.bad = true
		return nil
	}
	return bytes.Clone(v)
}

func (s *reader) rest(key string, to *json.RawMessage) {
	if s.has(key) {
		*to = s.raw()
	}
}

// value decodes what is not frequent.
func (s *reader) value(key string, to any) {
	if s.has(key) && (decodeStrict(s.raw(), to) != nil) {
		s.bad = true
	}
}

// valueEnd returns where the value ends with which b begins: at the comma or the bracket
// that follows it.
func valueEnd(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = quoteEnd(b, i+1)
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return i
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}
