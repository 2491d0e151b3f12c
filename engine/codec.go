package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// FormatError is a record of a format that this program is too old to read.
type FormatError struct{ Format int }

// Error says which formats are known.
func (e *FormatError) Error() string {
	return fmt.Sprintf("engine: records of format %d, this program reads up to %d", e.Format, RecordFormat)
}

// KindError is a record of a kind that this program does not know.
type KindError struct{ Kind Kind }

// Error names the kind.
func (e *KindError) Error() string { return fmt.Sprintf("engine: unknown record kind %q", e.Kind) }

// AppendRecord appends the JSON form of a record. It is what MarshalJSON writes, made
// by hand because every step of every run goes through it. Raw JSON in the record is
// taken as it is: Step lets only valid JSON in.
func AppendRecord(dst []byte, r Record) []byte {
	dst = append(dst, `{"seq":`...)
	dst = strconv.AppendUint(dst, r.Seq, 10)
	dst = append(dst, `,"at":"`...)
	dst = r.At.AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, `","kind":"`...)
	dst = append(dst, r.Kind...)
	dst = append(dst, `","actor":{"id":`...)
	dst = appendString(dst, r.Actor.ID)
	dst = appendText(dst, `,"on_behalf_of":`, r.Actor.OnBehalfOf)
	dst = append(dst, '}')
	dst = appendText(dst, `,"command_id":`, r.CommandID)
	dst = appendText(dst, `,"node":`, r.Node)
	dst = append(dst, `,"data":`...)
	switch d := r.Data.(type) {
	case NodeChanged:
		dst = d.append(dst)
	case TokenMoved:
		dst = d.append(dst)
	case VariableSet:
		dst = append(dst, '{')
		if d.Scope != "" {
			dst = append(appendString(append(dst, `"scope":`...), d.Scope), ',')
		}
		dst = append(appendString(append(dst, `"name":`...), d.Name), `,"value":`...)
		dst = append(append(dst, d.Value...), '}')
	default:
		dst = append(dst, mustJSON(d)...)
	}
	return append(dst, '}')
}

func (d *NodeChanged) append(dst []byte) []byte {
	dst = append(appendString(append(dst, `{"from":`...), string(d.From)), `,"to":`...)
	dst = appendString(dst, string(d.To))
	if d.Epoch != 0 {
		dst = strconv.AppendUint(append(dst, `,"epoch":`...), d.Epoch, 10)
	}
	dst = appendInt(dst, `,"iteration":`, d.Iteration)
	dst = appendInt(dst, `,"attempt":`, d.Attempt)
	dst = appendInt(dst, `,"call":`, d.Call)
	dst = appendText(dst, `,"reason":`, string(d.Reason))
	dst = appendRaw(dst, `,"inputs":`, d.Inputs)
	dst = appendRaw(dst, `,"outputs":`, d.Outputs)
	if d.Failure != nil {
		dst = append(append(dst, `,"failure":`...), mustJSON(d.Failure)...)
	}
	if d.Wait != nil {
		dst = append(append(dst, `,"wait":`...), mustJSON(d.Wait)...)
	}
	if d.Due != nil {
		dst = append(d.Due.AppendFormat(append(dst, `,"due":"`...), time.RFC3339Nano), '"')
	}
	dst = appendRaw(dst, `,"plugin_state":`, d.PluginState)
	dst = appendInt(dst, `,"polls":`, d.Polls)
	dst = appendRaw(dst, `,"callback":`, d.Callback)
	if len(d.Overrides) > 0 {
		dst = append(append(dst, `,"overrides":`...), mustJSON(d.Overrides)...)
	}
	if d.OnlyOverrides {
		dst = append(dst, `,"only_overrides":true`...)
	}
	dst = appendText(dst, `,"digest":`, d.Digest)
	dst = appendText(dst, `,"by":`, d.By)
	if d.Deadline != nil {
		dst = append(d.Deadline.AppendFormat(append(dst, `,"deadline":"`...), time.RFC3339Nano), '"')
	}
	dst = appendInt(dst, `,"repeat":`, d.Repeat)
	dst = appendText(dst, `,"child":`, d.Child)
	return append(dst, '}')
}

func (d *TokenMoved) append(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, `{"token":`...), int64(d.Token), 10)
	dst = appendInt(dst, `,"parent":`, d.Parent)
	dst = appendText(dst, `,"from":`, d.From)
	dst = appendText(dst, `,"to":`, d.To)
	dst = appendText(dst, `,"edge":`, d.Edge)
	return append(dst, '}')
}

// MarshalJSON is AppendRecord for encoding/json.
func (r Record) MarshalJSON() ([]byte, error) { return AppendRecord(nil, r), nil }

// UnmarshalJSON is DecodeRecord for encoding/json.
func (r *Record) UnmarshalJSON(b []byte) error {
	d, err := DecodeRecord(b)
	if err == nil {
		*r = d
	}
	return err
}

// DecodeRecord reads what AppendRecord wrote. A record of a newer format is a
// *FormatError, one of an unknown kind a *KindError.
func DecodeRecord(b []byte) (Record, error) {
	if r, ok := quickRecord(b); ok {
		return r, nil
	}
	return decodeRecord(b)
}

func decodeRecord(b []byte) (Record, error) {
	var j struct {
		Seq       uint64          `json:"seq"`
		At        time.Time       `json:"at"`
		Kind      Kind            `json:"kind"`
		Actor     Actor           `json:"actor"`
		CommandID string          `json:"command_id"`
		Node      string          `json:"node"`
		Data      json.RawMessage `json:"data"`
	}
	if err := decodeStrict(b, &j); err != nil {
		return Record{}, fmt.Errorf("engine: record: %w", err)
	}
	data, err := decodePayload(j.Kind, j.Data)
	if err != nil {
		return Record{}, fmt.Errorf("engine: record %d: %w", j.Seq, err)
	}
	return Record{
		Seq: j.Seq, At: j.At, Kind: j.Kind, Actor: j.Actor, CommandID: j.CommandID, Node: j.Node, Data: data,
	}, nil
}

//nolint:cyclop // one case for every kind
func decodePayload(k Kind, b json.RawMessage) (Payload, error) {
	switch k {
	case KindRunStarted:
		// The format first: a newer one may have fields that this program lacks.
		var head struct{ Format int }
		if err := json.Unmarshal(b, &head); err != nil {
			return nil, err
		}
		if head.Format > RecordFormat || head.Format < 1 {
			return nil, &FormatError{Format: head.Format}
		}
		return payload[RunStarted](b)
	case KindRunState:
		return payload[RunChanged](b)
	case KindVariable:
		return payload[VariableSet](b)
	case KindNodeState:
		return payload[NodeChanged](b)
	case KindNodeNote:
		return payload[NodeNoted](b)
	case KindNodeLate:
		return payload[NodeLate](b)
	case KindCallbackKept:
		return payload[CallbackKept](b)
	case KindTokenMoved:
		return payload[TokenMoved](b)
	case KindGatewayDecided:
		return payload[GatewayDecided](b)
	case KindScopeEntered:
		return payload[ScopeEntered](b)
	case KindNodeHeld:
		return payload[NodeHeld](b)
	case KindNodeTimer:
		return payload[NodeTimer](b)
	case KindRollback:
		return payload[RollbackChanged](b)
	}
	return nil, &KindError{Kind: k}
}

func payload[P Payload](b []byte) (Payload, error) {
	var p P
	if err := decodeStrict(b, &p); err != nil {
		return nil, err
	}
	return p, nil
}

func decodeStrict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

func appendText(dst []byte, key, s string) []byte {
	if s == "" {
		return dst
	}
	return appendString(append(dst, key...), s)
}

func appendInt(dst []byte, key string, i int) []byte {
	if i == 0 {
		return dst
	}
	return strconv.AppendInt(append(dst, key...), int64(i), 10)
}

func appendRaw(dst []byte, key string, raw json.RawMessage) []byte {
	if len(raw) == 0 {
		return dst
	}
	return append(append(dst, key...), raw...)
}

// appendString appends a JSON string. Bytes that are not UTF-8 become U+FFFD, as with
// encoding/json.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			dst = append(append(dst, s[start:i]...), `\ufffd`...)
			start = i + 1
		}
		i += n
	}
	return append(append(dst, s[start:]...), '"')
}

// mustJSON encodes a value of our own types, which always have a JSON form.
func mustJSON(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("engine: " + err.Error())
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}
