package wire

import (
	"encoding/binary"
	"fmt"
)

// Append appends a frame to a batch: its kind, its length and its body. All frames of a
// batch belong to one call.
func Append(batch []byte, k Kind, body []byte) []byte {
	batch = append(batch, byte(k))
	batch = binary.LittleEndian.AppendUint32(batch, uint32(len(body)))
	return append(batch, body...)
}

// Begin appends the head of a frame whose body is appended next; End, with the length that
// the batch had before Begin, makes it whole.
func Begin(batch []byte, k Kind) []byte { return append(batch, byte(k), 0, 0, 0, 0) }

// End sets the length of the frame that Begin began at the given place.
func End(batch []byte, at int) []byte {
	binary.LittleEndian.PutUint32(batch[at+1:], uint32(len(batch)-at-frameHead))
	return batch
}

// frameHead is the size of what stands in front of a body in a batch.
const frameHead = 5

// Split returns the first frame of a batch and the rest. The body refers to the batch. For
// bytes that are no frame the error is an ErrFrame.
func Split(batch []byte) (Frame, []byte, error) {
	const head = frameHead
	if len(batch) < head {
		return Frame{}, nil, fmt.Errorf("%w: cut off", ErrFrame)
	}
	k, n := Kind(batch[0]), binary.LittleEndian.Uint32(batch[1:])
	if k < Open || k >= kinds {
		return Frame{}, nil, fmt.Errorf("%w: kind %d", ErrFrame, k)
	}
	if uint64(n) > uint64(len(batch)-head) {
		return Frame{}, nil, fmt.Errorf("%w: cut off", ErrFrame)
	}
	end := head + int(n)
	return Frame{Kind: k, Body: batch[head:end:end]}, batch[end:], nil
}
