package wasm

import (
	"context"

	"github.com/tetratelabs/wazero/api"

	"github.com/culmhq/culm/host/replay"
)

// wasiRandom returns the function of WASI that fills memory with randomness.
//
//	random_get(ptr i32, n i32) -> (errno i32)
//
// More than randomMax bytes are refused with "invalid". The bytes come from the operating system, in every call anew. What an
// initialisation reads is noted: see seeds.go.
func wasiRandom() []hostFunc {
	return []hostFunc{{"random_get", "ii>i", func(_ context.Context, v *invocation, guest api.Module, s []uint64) {
		if uint32(s[1]) > randomMax {
			s[0] = wasiInval
			return
		}
		b := v.guestBytes(guest, "random_get", uint32(s[0]), uint32(s[1]))
		if v.taped() {
			copy(b, v.exchange(replay.Event{Kind: replay.KindRandom, Number: int64(len(b))}, func(e *replay.Event) {
				v.host.random(b)
				e.Answer = b
			}).Answer)
		} else {
			v.host.random(b)
		}
		if !v.initialised {
			v.touch.note(b)
		}
		s[0] = wasiOK
	}}}
}

// randomMax bounds the bytes of one read, so that none takes long.
const randomMax = 1 << 20

// note records what was read before the image was taken. A second read, or an
// unusual size, is all that matters of the rest.
func (t *touches) note(b []byte) {
	if len(t.random) < 2 {
		t.random = append(t.random, append([]byte{}, b[:min(len(b), goSeedBytes+1)]...))
	}
}
