package wasm

import (
	"bytes"
	"strings"

	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/pdk/contract"
)

// logState is what a call logged so far.
type logState struct {
	used      int64
	truncated bool
	// partial holds the unfinished lines of standard output and error.
	partial [2]bytes.Buffer
	// lastError is the last line on standard error that says what went wrong.
	lastError string
}

// logTruncated is the line that stands for everything over the limit.
const logTruncated = "(further log output was dropped: the limit of this call is reached)"

// logText logs text at a level, one line for each of its lines. Over the limit it
// logs one last line that says so, and then nothing.
func (v *invocation) logText(level contract.Level, text []byte) {
	if v.log.truncated {
		return
	}
	for line := range strings.SplitSeq(strings.TrimRight(bounded(text, v.limits.LogBytes), "\r\n"), "\n") {
		line = clean(strings.TrimRight(line, "\r"), int(v.limits.LogLineBytes))
		v.log.used += int64(len(line)) + 1
		if v.log.used > v.limits.LogBytes {
			v.log.truncated = true
			v.emit(contract.LevelWarn, logTruncated)
			return
		}
		v.emit(level, line)
	}
}

// bounded copies at most one byte more than limit, so that a text over the limit
// is still seen to be that.
func bounded(text []byte, limit int64) string {
	return string(text[:min(int64(len(text)), limit+1)])
}

// emit hands one line over.
func (v *invocation) emit(level contract.Level, line string) {
	if v.taped() {
		v.say(replay.Event{Kind: replay.KindLog, Name: string(level), Ask: replay.Data(line)})
	}
	v.services.Log(contract.LogLine{At: v.host.now().UTC(), Level: level, Text: line})
}

// printText takes what the plugin wrote to standard output (0) or error (1) and
// logs the finished lines.
func (v *invocation) printText(stream int, text []byte) {
	p := &v.log.partial[stream]
	for len(text) > 0 {
		line, rest, finished := bytes.Cut(text, []byte("\n"))
		if room := v.limits.LogLineBytes + 1 - int64(p.Len()); room > 0 {
			p.Write(line[:min(int64(len(line)), room)])
		}
		if finished {
			v.printLine(stream)
		}
		text = rest
	}
}

// printLine logs the line that a stream has gathered.
func (v *invocation) printLine(stream int) {
	p := &v.log.partial[stream]
	level := contract.LevelInfo
	if stream == 1 {
		level = contract.LevelWarn
		if s := p.String(); strings.HasPrefix(s, "panic: ") || strings.HasPrefix(s, "fatal error: ") {
			v.log.lastError = clean(s, 300)
		}
	}
	v.logText(level, p.Bytes())
	p.Reset()
}

// flushPrints logs what was printed without a final line break.
func (v *invocation) flushPrints() {
	for stream := range v.log.partial {
		if v.log.partial[stream].Len() > 0 {
			v.printLine(stream)
		}
	}
}
