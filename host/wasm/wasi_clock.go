package wasm

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/culmhq/culm/host/replay"
)

// Error numbers of WASI preview 1.
const (
	wasiOK     = 0
	wasiBadF   = 8
	wasiInval  = 28
	wasiNoSys  = 52
	wasiNotSup = 58
)

// The clocks of WASI, and the resolution of both here: fine clocks serve timing
// attacks more than plugins.
const (
	clockRealtime  = 0
	clockMonotonic = 1
	clockTick      = time.Millisecond
)

// wasiClock returns the functions of WASI on time. Times are nanoseconds in steps
// of a millisecond.
//
//	clock_time_get(id i32, precision i64, result ptr i32) -> (errno i32)   id 0 wall clock, 1 monotonic
//	clock_res_get(id i32, result ptr i32) -> (errno i32)
//	poll_oneoff(in ptr i32, out ptr i32, n i32, nevents ptr i32) -> (errno i32)
//	    waits for the first of n clock subscriptions, but never past the end of the
//	    call; subscriptions on files are answered at once with "not supported"
//	sched_yield() -> (errno i32)
func wasiClock() []hostFunc {
	return []hostFunc{
		{"clock_time_get", "iIi>i", clockTimeGet},
		{"clock_res_get", "ii>i", func(_ context.Context, v *invocation, guest api.Module, s []uint64) {
			if uint32(s[0]) > clockMonotonic {
				s[0] = wasiInval
				return
			}
			binary.LittleEndian.PutUint64(v.guestBytes(guest, "clock_res_get", uint32(s[1]), 8), uint64(clockTick))
			s[0] = wasiOK
		}},
		{"poll_oneoff", "iiii>i", pollOneoff},
		{"sched_yield", ">i", func(_ context.Context, _ *invocation, _ api.Module, s []uint64) { s[0] = wasiOK }},
	}
}

func clockTimeGet(_ context.Context, v *invocation, guest api.Module, s []uint64) {
	id := uint32(s[0])
	if id > clockMonotonic {
		s[0] = wasiInval
		return
	}
	v.touch.realtime = v.touch.realtime || id == clockRealtime
	v.touch.mono = v.touch.mono || id == clockMonotonic
	var t uint64
	if v.player != nil {
		t = uint64(v.exchange(replay.Event{Kind: replay.KindClock, Name: clockName(id)}, nil).Value)
	} else if t = v.time(id); v.tape != nil {
		v.tape.Clock(clockName(id), int64(t))
	}
	binary.LittleEndian.PutUint64(v.guestBytes(guest, "clock_time_get", uint32(s[2]), 8), t)
	s[0] = wasiOK
}

// time reads a clock.
func (v *invocation) time(id uint32) uint64 {
	if id == clockMonotonic {
		return v.monotonic()
	}
	return uint64(v.host.now().Truncate(clockTick).UnixNano())
}

func clockName(id uint32) string {
	if id == clockMonotonic {
		return replay.ClockMonotonic
	}
	return replay.ClockRealtime
}

// monotonic is the time since the host started, and a day: Go's runtime takes small
// values for "never".
func (v *invocation) monotonic() uint64 {
	return uint64((v.host.now().Sub(v.host.epoch) + 24*time.Hour).Truncate(clockTick))
}

// Sizes of WASI's subscription and event, and how many a call may pass.
const (
	subscriptionBytes = 48
	eventBytes        = 32
	subscriptionsMax  = 256
)

// subscription is a decoded entry of poll_oneoff.
type subscription struct {
	userdata [8]byte
	kind     byte
	wait     time.Duration
}

func pollOneoff(ctx context.Context, v *invocation, guest api.Module, s []uint64) {
	in, out, n, result := uint32(s[0]), uint32(s[1]), uint32(s[2]), uint32(s[3])
	if n == 0 || n > subscriptionsMax {
		s[0] = wasiInval
		return
	}
	subs := make([]subscription, n)
	raw := v.guestBytes(guest, "poll_oneoff", in, n*subscriptionBytes)
	v.guestBytes(guest, "poll_oneoff", out, n*eventBytes)
	v.guestBytes(guest, "poll_oneoff", result, 4)
	for i := range subs {
		subs[i] = v.subscription(raw[i*subscriptionBytes:][:subscriptionBytes])
	}
	due := v.await(ctx, subs)
	events := v.guestBytes(guest, "poll_oneoff", out, n*eventBytes)
	for at, i := range due {
		e := events[at*eventBytes:][:eventBytes]
		clear(e)
		copy(e, subs[i].userdata[:])
		e[10] = subs[i].kind
		if subs[i].kind != 0 {
			e[8] = wasiNotSup
		}
	}
	binary.LittleEndian.PutUint32(v.guestBytes(guest, "poll_oneoff", result, 4), uint32(len(due)))
	s[0] = wasiOK
}

// await waits for the first of the subscriptions and returns those that are due. A
// replayed call does not wait.
func (v *invocation) await(ctx context.Context, subs []subscription) []byte {
	wait, due := firstDue(subs)
	if wait > 0 && !v.taped() {
		v.outside(ctx, func() { v.sleep(ctx, wait) })
	}
	if !v.taped() {
		return due
	}
	got := v.exchange(replay.Event{Kind: replay.KindSleep, Number: int64(len(subs)), Value: int64(wait)}, func(e *replay.Event) {
		if wait > 0 {
			v.outside(ctx, func() { v.sleep(ctx, wait) })
		}
		e.Answer = due
	})
	if got.Absent || !distinct(got.Answer, len(subs)) {
		return due
	}
	return got.Answer
}

// firstDue returns how long to wait, and the subscriptions that are due then: those on
// files at once, with an error.
func firstDue(subs []subscription) (time.Duration, []byte) {
	wait, files := time.Duration(1<<62), false
	for i := range subs {
		files = files || subs[i].kind != 0
		if subs[i].kind == 0 {
			wait = min(wait, subs[i].wait)
		}
	}
	if files {
		wait = 0
	}
	due := make([]byte, 0, len(subs))
	for i, sub := range subs {
		if sub.kind != 0 || !files && sub.wait <= wait {
			due = append(due, byte(i))
		}
	}
	return wait, due
}

// distinct reports whether a recording's indices can be those of n subscriptions.
func distinct(indices []byte, n int) bool {
	var seen [subscriptionsMax]bool
	for _, i := range indices {
		if int(i) >= n || seen[i] {
			return false
		}
		seen[i] = true
	}
	return true
}

// subscription decodes one entry: userdata, kind, clock id, timeout, precision, and
// a flag that says whether the timeout is absolute.
func (v *invocation) subscription(b []byte) subscription {
	s := subscription{kind: b[8]}
	copy(s.userdata[:], b)
	timeout := binary.LittleEndian.Uint64(b[24:])
	if b[40]&1 != 0 {
		now := uint64(0)
		switch {
		case v.player != nil: // its clocks are not those of this host
		case binary.LittleEndian.Uint32(b[16:]) == clockRealtime:
			now = uint64(v.host.now().UnixNano())
		default:
			now = v.monotonic()
		}
		timeout -= min(now, timeout)
	}
	s.wait = time.Duration(min(timeout, uint64(24*time.Hour)))
	return s
}

// sleeper is implemented by services that wait on the guest's behalf: in a worker
// process it is the host that knows who runs and who waits.
type sleeper interface {
	Sleep(ctx context.Context, d time.Duration)
}

// sleep waits, at most until the context ends.
func (v *invocation) sleep(ctx context.Context, d time.Duration) {
	if s, ok := v.services.(sleeper); ok {
		s.Sleep(ctx, d)
		return
	}
	rest(ctx, d)
}

// rest waits, at most until the context ends.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
