package runs

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/pdk/contract"
)

// The limits of what one call says while it runs.
const (
	logBytesMax      = 256 << 10
	lineBytesMax     = 8 << 10
	progressTextMax  = 500
	variableBytesMax = 256 << 10
	variablesMax     = 64
)

// services is what one call reaches through host functions.
type services struct {
	session  gateway.Session
	notes    *notes
	inputs   json.RawMessage
	declared map[string]bool
	// recording is that of the call, once it ended, if one was wanted.
	recording *replay.Recording

	mu     sync.Mutex
	parsed map[string]json.RawMessage
	set    map[string]json.RawMessage
	// lastUnhappy is the last gateway call that did not go well, if any.
	lastUnhappy *unhappy
}

// Gateway implements Services.
func (s *services) Gateway(ctx context.Context, req contract.GatewayRequest) contract.GatewayResponse {
	res := s.session.Call(ctx, req)
	if u := unhappyCall(req, res); u != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.lastUnhappy = u
	}
	return res
}

// Log implements Services.
func (s *services) Log(line contract.LogLine) { s.notes.log(line) }

// Progress implements Services.
func (s *services) Progress(percent int, message string) { s.notes.progress(percent, message) }

// Var reads what the call has set, else an input of the node: what the flow maps to a
// name that the action declares is in its inputs, evaluated and recorded.
func (s *services) Var(name string) (json.RawMessage, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.set[name]; ok {
		return v, true
	}
	if s.parsed == nil {
		s.parsed = map[string]json.RawMessage{}
		if err := json.Unmarshal(s.inputs, &s.parsed); err != nil {
			return nil, false // inputs are an object wherever a call is made
		}
	}
	v, ok := s.parsed[name]
	return v, ok
}

// SetVar sets an output that the action declares; the flow maps outputs to variables.
// It takes effect when this call succeeds.
func (s *services) SetVar(name string, value json.RawMessage) error {
	switch {
	case !s.declared[name]:
		return fmt.Errorf("the action declares no output %q", short(name, failureCodeMax))
	case len(value) > variableBytesMax:
		return fmt.Errorf("a variable may have %d bytes at most", variableBytesMax)
	case !json.Valid(value):
		return fmt.Errorf("the value of %s is not JSON", name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.set == nil {
		s.set = map[string]json.RawMessage{}
	}
	if _, again := s.set[name]; !again && len(s.set) == variablesMax {
		return fmt.Errorf("a call may set %d variables at most", variablesMax)
	}
	s.set[name] = append(json.RawMessage(nil), value...)
	return nil
}

func (s *services) written() map[string]json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.set
}

// notes gathers what a call says and sends it on at most once in a while.
type notes struct {
	clock Clock
	every time.Duration
	send  func([]contract.LogLine, *engine.Progress)

	mu      sync.Mutex
	lines   []contract.LogLine
	at      *engine.Progress
	bytes   int
	waiting bool // a flush is due
	ended   bool
	stop    chan struct{}
	flushes sync.WaitGroup
}

func newNotes(c Clock, every time.Duration, send func([]contract.LogLine, *engine.Progress)) *notes {
	return &notes{clock: c, every: every, send: send, stop: make(chan struct{})}
}

func (n *notes) log(line contract.LogLine) {
	line.Text = oneLine(line.Text)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ended || n.bytes > logBytesMax {
		return
	}
	if n.bytes += len(line.Text); n.bytes > logBytesMax {
		line = contract.LogLine{At: line.At, Level: contract.LevelWarn, Text: fmt.Sprintf("culm: log ends here: more than %d bytes", logBytesMax)}
	}
	n.lines = append(n.lines, line)
	n.arm()
}

func (n *notes) progress(percent int, message string) {
	p := engine.Progress{Percent: min(max(percent, 0), 100), Message: short(oneLine(message), progressTextMax)}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ended {
		return
	}
	n.at = &p
	n.arm()
}

// arm sees to it that what was said is sent before long. The caller holds mu.
func (n *notes) arm() {
	if n.waiting {
		return
	}
	n.waiting = true
	due, release := n.clock.After(n.every)
	n.flushes.Go(func() {
		defer release()
		select {
		case <-due:
			n.flush()
		case <-n.stop:
		}
	})
}

// flush sends what was said since the last time.
func (n *notes) flush() {
	n.mu.Lock()
	if n.ended {
		n.mu.Unlock()
		return
	}
	lines, at := n.lines, n.at
	n.lines, n.at, n.waiting = nil, nil, false
	n.mu.Unlock()
	if len(lines) > 0 || at != nil {
		n.send(lines, at)
	}
}

// end sends the last progress and returns the lines that were not sent. Nothing is
// sent after it.
func (n *notes) end() []contract.LogLine {
	n.mu.Lock()
	n.ended = true
	close(n.stop)
	lines, at := n.lines, n.at
	n.mu.Unlock()
	n.flushes.Wait()
	if at != nil {
		n.send(nil, at)
	}
	return lines
}

// oneLine makes a bounded text without line breaks and control characters.
func oneLine(s string) string {
	s = short(s, lineBytesMax)
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.TrimRight(s, "\r\n"))
}
