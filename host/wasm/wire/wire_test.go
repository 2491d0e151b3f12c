package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/culmhq/culm/host/wasm/wire"
)

func TestFramesComeBackAsTheyWereSent(t *testing.T) {
	t.Parallel()
	var pipe bytes.Buffer
	w := wire.NewWriter(&pipe)
	big := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	for i, body := range [][]byte{nil, []byte("x"), big, new(wire.Encoder).Int(-5).Text("a").Bytes(nil).Body()} {
		if err := w.Send(wire.Kind(i+1), uint64(i)<<40, body); err != nil {
			t.Fatal(err)
		}
	}
	r := wire.NewReader(&pipe, 2<<20)
	for i, want := range []int{0, 1, len(big), 4} {
		f, err := r.Next()
		if err != nil || int(f.Kind) != i+1 || f.Call != uint64(i)<<40 || len(f.Body) != want {
			t.Fatalf("frame %d: kind %d, call %d, %d bytes, %v", i, f.Kind, f.Call, len(f.Body), err)
		}
		if i != 3 {
			continue
		}
		d := wire.NewDecoder(f.Body)
		if n, s, b := d.Int(), d.Text(), d.Bytes(); n != -5 || s != "a" || len(b) != 0 || d.End() != nil {
			t.Fatalf("%d %q %v %v", n, s, b, d.End())
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Fatalf("at the end: %v", err)
	}
}

func TestWhatIsNoFrameIsRefused(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string][]byte{
		"too long":       {0xff, 0xff, 0xff, 0x7f, 1, 1},
		"longer yet":     {0xff, 0xff, 0xff, 0xff, 1, 1},
		"no body":        {0, 0, 0, 0},
		"no number":      {1, 0, 0, 0, 1},
		"unknown kind":   {2, 0, 0, 0, 99, 1},
		"kind zero":      {2, 0, 0, 0, 0, 1},
		"cut off":        {9, 0, 0, 0, 1, 1},
		"endless number": append([]byte{12, 0, 0, 0, 1}, bytes.Repeat([]byte{0xff}, 11)...),
	} {
		if _, err := wire.NewReader(bytes.NewReader(raw), 1<<20).Next(); !errors.Is(err, wire.ErrFrame) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, body := range [][]byte{{}, {0x80}, {5, 'a'}, {1, 'a', 9}, bytes.Repeat([]byte{0xff}, 12)} {
		d := wire.NewDecoder(body)
		d.Text()
		if !errors.Is(d.End(), wire.ErrFrame) {
			t.Errorf("body %x is taken for one text", body)
		}
	}
}

// A length that is claimed costs nothing before the bytes are there.
func TestAClaimedLengthCostsNothing(t *testing.T) {
	t.Parallel()
	raw := binary.LittleEndian.AppendUint32(nil, 1<<30)
	raw = append(raw, 1, 1)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := wire.NewReader(bytes.NewReader(raw), 1<<30).Next(); !errors.Is(err, wire.ErrFrame) {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 { // other tests run beside this one
		t.Errorf("%d bytes were allocated for a frame that never came", n)
	}
}

func TestFramesOfManyWritersAreWhole(t *testing.T) {
	t.Parallel()
	pr, pw := io.Pipe()
	w := wire.NewWriter(pw)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for range 200 {
				if err := w.Send(wire.Log, uint64(g), []byte(strings.Repeat(string(rune('a'+g)), 100*g))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	go func() { wg.Wait(); _ = pw.Close() }()
	r := wire.NewReader(pr, 1<<20)
	n := 0
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || string(f.Body) != strings.Repeat(string(rune('a'+f.Call)), 100*int(f.Call)) {
			t.Fatalf("call %d: %v", f.Call, err)
		}
		n++
	}
	if n != 1600 {
		t.Fatalf("%d frames", n)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte{3, 0, 0, 0, 1, 1, 7})
	f.Add([]byte{2, 0, 0, 0, 6, 0x80})
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := wire.NewReader(bytes.NewReader(raw), 1<<16)
		for {
			fr, err := r.Next()
			if err != nil {
				if !errors.Is(err, wire.ErrFrame) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatal(err)
				}
				return
			}
			d := wire.NewDecoder(fr.Body)
			_, _, _ = d.Int(), d.Bytes(), d.Text()
			_ = d.End()
			var back bytes.Buffer
			if err := wire.NewWriter(&back).Send(fr.Kind, fr.Call, fr.Body); err != nil {
				t.Fatal(err)
			}
			again, err := wire.NewReader(&back, 1<<17).Next()
			if err != nil || again.Kind != fr.Kind || again.Call != fr.Call || !bytes.Equal(again.Body, fr.Body) {
				t.Fatalf("%v does not come back: %v, %v", fr, again, err)
			}
		}
	})
}
