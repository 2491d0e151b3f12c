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

// Split returns the first frame of a batch and the rest. The body refers to the batch. For
// bytes that are no frame the error is an ErrFrame.
func Split(batch []byte) (Frame, []byte, error) {
	const head = 5
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
