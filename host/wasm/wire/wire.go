// Package wire is how the plugin host and its worker processes talk: frames over a
// pipe, each with a length, a kind and the number of the call that it belongs to.
//
//	frame = length u32 (little-endian, of what follows), kind u8, call uvarint, body
//
// A body is a sequence of fields: numbers as zig-zag varints, texts and bytes with
// their length in front. Who reads sets the greatest length it takes, and reads what
// it is sent as written by an enemy: no length is believed before its bytes are there.
package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
)

// Kind says what a frame is.
type Kind byte

// Kinds. The host sends Open once, then Invoke, Answer, Cancel and Flush; the rest comes
// from the worker. Each question (Gateway to Sleep) is answered by one Answer. Flush asks
// for what the worker holds back of a call that the pipe took over from a lane. Taped tells
// of a call that is recorded what the host does not see.
const (
	Open Kind = iota + 1
	Invoke
	Answer
	Cancel
	Flush
	Ready
	Gateway
	Eval
	Var
	SetVar
	Sleep
	Log
	Progress
	Recording
	Taped
	Result
	kinds
)

// Question reports whether a frame of this kind waits for an Answer.
func (k Kind) Question() bool { return k >= Gateway && k <= Sleep }

// Frame is one message. The body belongs to whoever read it.
type Frame struct {
	Kind Kind
	Call uint64
	Body []byte
}

// ErrFrame is the sentinel of bytes that are no frame.
var ErrFrame = errors.New("not a frame")

// Reader reads frames. It is not safe for concurrent use.
type Reader struct {
	r   *bufio.Reader
	max uint32
}

// NewReader returns a reader of frames of at most max bytes.
func NewReader(r io.Reader, max int) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 64<<10), max: uint32(min(max, math.MaxInt32))}
}

// chunk is how much is allocated for a frame before more of it has come.
const chunk = 256 << 10

// Next returns the next frame. At the end of the stream the error is io.EOF; for bytes
// that are no frame it is an ErrFrame.
func (r *Reader) Next() (Frame, error) {
	var head [4]byte
	if _, err := io.ReadFull(r.r, head[:]); err != nil {
		return Frame{}, err
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n < 2 || n > r.max {
		return Frame{}, fmt.Errorf("%w: its length is %d, allowed are 2 to %d", ErrFrame, n, r.max)
	}
	b := make([]byte, min(n, chunk))
	for at := uint32(0); ; {
		if _, err := io.ReadFull(r.r, b[at:]); err != nil {
			return Frame{}, fmt.Errorf("%w: cut off: %w", ErrFrame, err)
		}
		if at = uint32(len(b)); at == n {
			break
		}
		more := make([]byte, min(n, 4*at))
		copy(more, b)
		b = more
	}
	call, used := binary.Uvarint(b[1:])
	if used <= 0 {
		return Frame{}, fmt.Errorf("%w: the number of its call", ErrFrame)
	}
	k := Kind(b[0])
	if k < Open || k >= kinds {
		return Frame{}, fmt.Errorf("%w: kind %d", ErrFrame, k)
	}
	return Frame{Kind: k, Call: call, Body: b[1+used:]}, nil
}

// Writer writes frames. It is safe for concurrent use.
type Writer struct {
	mu  sync.Mutex
	w   io.Writer
	buf []byte
}

// NewWriter returns a writer.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// keepMax is the size up to which the buffer of a writer is kept.
const keepMax = 64 << 10

// Send writes one frame with one write.
func (w *Writer) Send(k Kind, call uint64, body []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := append(w.buf[:0], 0, 0, 0, 0, byte(k))
	b = binary.AppendUvarint(b, call)
	b = append(b, body...)
	binary.LittleEndian.PutUint32(b, uint32(len(b)-4))
	if w.buf = b; cap(b) > keepMax {
		w.buf = nil
	}
	_, err := w.w.Write(b)
	return err
}

// Encoder writes the fields of a body.
type Encoder struct{ b []byte }

// NewEncoder returns an encoder that appends to b.
func NewEncoder(b []byte) *Encoder { return &Encoder{b} }

// Int appends a number.
func (e *Encoder) Int(v int64) *Encoder { e.b = binary.AppendVarint(e.b, v); return e }

// Bytes appends bytes.
func (e *Encoder) Bytes(v []byte) *Encoder {
	e.b = append(binary.AppendUvarint(e.b, uint64(len(v))), v...)
	return e
}

// Text appends a text.
func (e *Encoder) Text(v string) *Encoder {
	e.b = append(binary.AppendUvarint(e.b, uint64(len(v))), v...)
	return e
}

// Body returns what was written.
func (e *Encoder) Body() []byte { return e.b }

// Decoder reads the fields of a body in their order. The first error sticks: what is
// read after it is zero.
type Decoder struct {
	b   []byte
	err error
}

// NewDecoder returns a decoder. What it returns refers to b.
func NewDecoder(b []byte) *Decoder { return &Decoder{b: b} }

// Int reads a number.
func (d *Decoder) Int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

// Bytes reads bytes; none are an empty slice.
func (d *Decoder) Bytes() []byte {
	n, used := binary.Uvarint(d.b)
	if used <= 0 || n > uint64(len(d.b)-used) {
		d.fail()
		return nil
	}
	v := d.b[used : used+int(n) : used+int(n)]
	d.b = d.b[used+int(n):]
	return v
}

// Text reads a text.
func (d *Decoder) Text() string { return string(d.Bytes()) }

// End returns an ErrFrame if the body was not what was asked for, no more and no less.
func (d *Decoder) End() error {
	if d.err == nil && len(d.b) != 0 {
		d.err = fmt.Errorf("%w: %d bytes too many", ErrFrame, len(d.b))
	}
	return d.err
}

// Err returns an ErrFrame once something was not there that was asked for.
func (d *Decoder) Err() error { return d.err }

func (d *Decoder) fail() {
	if d.err == nil {
		d.err = fmt.Errorf("%w: a field is cut off", ErrFrame)
	}
	d.b = nil
}
