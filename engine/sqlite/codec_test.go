package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
)

func chunk(n int) []byte {
	var rs []engine.Record
	for i := range n {
		rs = append(rs, engine.Record{
			Seq: uint64(i) + 1, At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Kind: engine.KindTokenMoved,
			Actor: engine.Actor{ID: "li"}, Data: engine.TokenMoved{Token: i, From: "a", To: "b"},
		})
	}
	return appendChunk(nil, rs)
}

func TestRecordsOfAPiece(t *testing.T) {
	t.Parallel()
	whole := chunk(5)
	var seqs []uint64
	if err := eachRecord("r", whole, func(r engine.Record) bool {
		seqs = append(seqs, r.Seq)
		return r.Seq < 3
	}); err != nil || len(seqs) != 3 {
		t.Errorf("read %v, %v; want the first three", seqs, err)
	}
	ends := map[int]bool{0: true}
	for n := 1; n <= 5; n++ {
		ends[len(chunk(n))] = true
	}
	for n := range whole {
		err := eachRecord("r", whole[:n], func(engine.Record) bool { return true })
		if ends[n] != (err == nil) || err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
}

// Any byte of a sealed piece may be another: it is noticed.
func TestASealedPieceNoticesEveryChange(t *testing.T) {
	t.Parallel()
	plain := chunk(3)
	whole := appendSeal(bytes.Clone(plain), checksum(bound("r"), plain))
	all := func(engine.Record) bool { return true }
	if err := eachRecord("r", whole, all); err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		for _, flip := range []byte{0x01, 0x20, 0x80, 0xff} {
			b := bytes.Clone(whole)
			b[i] ^= flip
			if err := eachRecord("r", b, all); !errors.Is(err, ErrDamaged) {
				t.Errorf("byte %d ^ %#x: %v", i, flip, err)
			}
		}
	}
}

// A piece of another run is none of this one, however whole it is; one that an earlier version
// sealed says nothing of its run, and is read.
func TestAPieceBelongsToItsRun(t *testing.T) {
	t.Parallel()
	plain := chunk(3)
	all := func(engine.Record) bool { return true }
	if err := eachRecord("s", appendSeal(bytes.Clone(plain), checksum(bound("r"), plain)), all); !errors.Is(err, ErrDamaged) {
		t.Errorf("the piece of another run: %v", err)
	}
	earlier := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(bytes.Clone(plain), sealMark), checksum(0, plain))
	if err := eachRecord("s", earlier, all); err != nil {
		t.Errorf("a piece of an earlier version: %v", err)
	}
}

// What comes out of any bytes can be written again and read as the same.
func FuzzEachRecord(f *testing.F) {
	f.Add(chunk(0))
	f.Add(chunk(3))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, '{', '}'})
	f.Add(append([]byte{0, 0, 0, 2}, "{}"...))
	f.Fuzz(func(t *testing.T, data []byte) {
		var rs []engine.Record
		err := eachRecord("r", data, func(r engine.Record) bool {
			rs = append(rs, r)
			return true
		})
		if err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNewer) {
			t.Errorf("error %v has no place", err)
		}
		written := appendChunk(nil, rs)
		var again []engine.Record
		if err := eachRecord("r", written, func(r engine.Record) bool {
			again = append(again, r)
			return true
		}); err != nil {
			t.Fatalf("what was read cannot be read again: %v\n%q", err, written)
		}
		if !bytes.Equal(appendChunk(nil, again), written) {
			t.Errorf("read again it is different: %q", written)
		}
	})
}
