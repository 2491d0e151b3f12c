package wasm

import (
	"context"
	"errors"

	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/pdk/contract"
)

// The codes of a replayed call that ends because its recording does.
const (
	// CodeReplayUnanswered: the plugin asks for something that the recorded call did
	// not ask for, so that nobody knows the answer.
	CodeReplayUnanswered = "REPLAY_UNANSWERED"
	// CodeReplayCut: the recording was over its bound and holds no more.
	CodeReplayCut = "REPLAY_CUT"
	// CodeReplayInvalid: the recording cannot be played.
	CodeReplayInvalid = "REPLAY_INVALID"
)

// startBytesMax bounds what is kept of an initialisation for the recordings of the
// calls that begin from its image.
const startBytesMax = 64 << 10

// exchange makes one exchange between guest and host: e is what the guest asks, and
// the result is e with the answer, which perform finds in the world. While the call is
// recorded both are taken down; in a replayed call the recording answers and perform
// is not called.
func (v *invocation) exchange(e replay.Event, perform func(*replay.Event)) replay.Event {
	switch {
	case v.player != nil:
		answered, stop := v.player.Answer(e)
		if stop != nil {
			v.abort(v.replayStopped(stop))
		}
		return answered
	case v.tape != nil:
		n := v.tape.Begin(e)
		perform(&e)
		v.tape.End(n, e)
	default:
		perform(&e)
	}
	return e
}

// say takes down, or compares, what a guest says without an answer.
func (v *invocation) say(e replay.Event) {
	switch {
	case v.unwound: // lines without an end, of a guest that may have been stopped anywhere
	case v.player != nil:
		if stop := v.player.Say(e); stop != nil && !v.ended {
			v.abort(v.replayStopped(stop))
		}
	case v.tape != nil:
		v.tape.Say(e)
	}
}

// taped reports whether exchanges go through a tape or a player.
func (v *invocation) taped() bool { return v.tape != nil || v.player != nil }

// replayStopped is the error with which a replayed call ends before its guest does.
func (v *invocation) replayStopped(s *replay.Stop) *Error {
	switch {
	case s.Ended:
		e := failure(contract.OriginHost, CodeCancelled, "the recorded call was stopped here")
		if f := v.playing.Outcome.Failure; f != nil {
			e.Failure = *f
		}
		return e
	case s.Cut:
		return failure(contract.OriginHost, CodeReplayCut, "the recording ends here: it was larger than recordings may be")
	default:
		return failure(contract.OriginHost, CodeReplayUnanswered, "the recording has no answer to what the plugin asks here")
	}
}

// recording returns what was recorded of a call that ended with r and err.
func (v *invocation) recording(m *Module, l *live, c Call, r Result, err error) *replay.Recording {
	rec := v.tape.Finish(outcomeOf(r, err))
	rec.At, rec.Digest, rec.Export, rec.Limits = v.started.UTC(), m.info.Digest, c.Export, v.limits.recorded()
	if rec.Image = l.initialised; rec.Image {
		rec.Start = l.began
		if l.beganCut && rec.Truncated != replay.PartInput {
			rec.Truncated = replay.PartStart
		}
	}
	return rec
}

// outcomeOf says how a call ended.
func outcomeOf(r Result, err error) replay.Outcome {
	f := AsFailure(err)
	if f == nil {
		return replay.Outcome{Output: r.Output}
	}
	own := *f
	return replay.Outcome{Failure: &own, Stopped: f.Code == CodeTimeout || f.Code == CodeCancelled || f.Code == CodeStartTimeout}
}

// recorded are the limits of a call that its guest can notice.
func (l Limits) recorded() replay.Limits {
	return replay.Limits{
		Memory: l.MemoryBytes, Blocks: l.BlockBytes, Input: l.InputBytes, Output: l.OutputBytes, Log: l.LogBytes,
		LogLine: l.LogLineBytes, Request: l.RequestBytes, Response: l.ResponseBytes, Var: l.VarBytes,
		HostCalls: l.HostCalls, SmallCalls: l.SmallCalls, TableElements: int(l.Module.TableElements),
	}
}

// LimitsOf returns the limits of a host on which a recorded call runs as it did where
// it was recorded. What a recording does not hold is zero.
func LimitsOf(r *replay.Recording) Limits {
	module := DefaultLimits().Module
	if n := r.Limits.TableElements; n > 0 {
		module.TableElements = uint32(n)
	}
	l := r.Limits
	return Limits{
		Module: module, MemoryBytes: l.Memory, BlockBytes: l.Blocks, InputBytes: l.Input, OutputBytes: l.Output,
		LogBytes: l.Log, LogLineBytes: l.LogLine, RequestBytes: l.Request, ResponseBytes: l.Response, VarBytes: l.Var,
		HostCalls: l.HostCalls, SmallCalls: l.SmallCalls,
	}
}

// rerun makes a replayed call: where the recorded one began from an image, a new
// instance is initialised with what that image's initialisation was answered, and its
// generators are given what the recorded call's were given.
func (l *live) rerun(ctx context.Context, v *invocation, export string, kind callable) (uint32, *Error) {
	i, e := l.make(ctx, v)
	if e != nil {
		return 0, e
	}
	var stack [1]uint64
	v.memory = i.memory
	i.memory.limit = min(uint64(v.limits.MemoryBytes), l.buffers.reserve)
	e = l.initialise(ctx, v, i)
	if e == nil {
		if v.player.Image() {
			v.log, v.counts, v.blocks = logState{}, counts{}, blocks{}
			v.refresh(i)
		}
		v.player.Started()
		v.initialised, v.output = true, nil
		e = l.enterGuest(ctx, v, i, export, stack[:], v.limits.GuestTime)
	}
	v.peak = int64(i.memory.high)
	if err := l.discard(ctx, i); err != nil && e == nil {
		e = hostFault("closing a plugin", err)
	}
	return statusOf(kind, stack[0]), e
}

// refresh does what a call from an image does to the generators in it.
func (v *invocation) refresh(i *instance) {
	if len(v.touch.random) != 1 {
		return
	}
	spans, _ := goSeeds(v.touch.random[0], i.memory.base[:i.memory.size])
	for _, s := range spans {
		v.player.Fresh(i.memory.base[s.offset : s.offset+s.size])
	}
}

// errReplay is the cause of a call that does not fit its recording.
var errReplay = errors.New("the call is not the recorded one")

// checkReplay refuses a recording that cannot be played.
func checkReplay(c Call) *Error {
	err := c.Replay.Check()
	if err == nil && c.Replay.Export != c.Export {
		err = errReplay
	}
	if err == nil {
		return nil
	}
	return failure(contract.OriginHost, CodeReplayInvalid, "the recording cannot be played: %s", clean(err.Error(), 300)).because(err)
}
