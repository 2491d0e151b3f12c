package sqlite

import (
	"encoding/binary"
	"encoding/json"
	"fmt"

	"github.com/culmhq/culm/engine"
)

// appendChunk appends records to a piece: each with its length before it.
func appendChunk(dst []byte, rs []engine.Record) ([]byte, error) {
	var one []byte
	for i := range rs {
		var err error
		if one, err = appendRecord(one[:0], &rs[i]); err != nil {
			return nil, fmt.Errorf("encode record %d: %w", rs[i].Seq, err)
		}
		dst = binary.AppendUvarint(dst, uint64(len(one)))
		dst = append(dst, one...)
	}
	return dst, nil
}

// eachRecord decodes a piece until more says no.
func eachRecord(data []byte, more func(engine.Record) bool) error {
	for len(data) > 0 {
		size, n := binary.Uvarint(data)
		if n <= 0 || size > uint64(len(data)-n) {
			return fmt.Errorf("%w: a piece of records is cut off", ErrDamaged)
		}
		r, err := decodeRecord(data[n : n+int(size)])
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		if !more(r) {
			return nil
		}
		data = data[n+int(size):]
	}
	return nil
}

func appendRecord(dst []byte, r *engine.Record) ([]byte, error) {
	b, err := json.Marshal(r)
	return append(dst, b...), err
}

func decodeRecord(data []byte) (engine.Record, error) {
	type plain engine.Record
	var r struct {
		plain
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return engine.Record{}, err
	}
	p, err := decodePayload(r.Kind, r.Data)
	if err != nil {
		return engine.Record{}, fmt.Errorf("record %d: %w", r.Seq, err)
	}
	rec := engine.Record(r.plain)
	rec.Data = p
	return rec, nil
}

func decodePayload(k engine.Kind, data []byte) (engine.Payload, error) {
	switch k {
	case engine.KindRunStarted:
		return decodeAs[engine.RunStarted](data)
	case engine.KindRunState:
		return decodeAs[engine.RunChanged](data)
	case engine.KindVariable:
		return decodeAs[engine.VariableSet](data)
	case engine.KindNodeState:
		return decodeAs[engine.NodeChanged](data)
	case engine.KindNodeNote:
		return decodeAs[engine.NodeNoted](data)
	case engine.KindNodeLate:
		return decodeAs[engine.NodeLate](data)
	case engine.KindCallbackKept:
		return decodeAs[engine.CallbackKept](data)
	case engine.KindTokenMoved:
		return decodeAs[engine.TokenMoved](data)
	case engine.KindGatewayDecided:
		return decodeAs[engine.GatewayDecided](data)
	}
	return nil, fmt.Errorf("unknown kind %q", k)
}

func decodeAs[P engine.Payload](data []byte) (engine.Payload, error) {
	var p P
	err := json.Unmarshal(data, &p)
	return p, err
}
