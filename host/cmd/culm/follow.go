package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/pdk/contract"
)

// watch is told of commits by the runner and wakes the follower. It never blocks.
type watch struct{ wake chan struct{} }

func newWatch() *watch { return &watch{make(chan struct{}, 1)} }

// Publish implements runner.Publisher.
func (w *watch) Publish(string, []engine.Record) {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// follower shows a run until it has ended or cannot go on.
type follower struct {
	*program
	core         *app.Core
	flow         *engine.Flow
	project, run string
	watch        *watch
	options      runOptions

	seq     uint64
	display display
	lines   lineReader
	// asked holds the waits that a person answered, by node and attempt.
	asked map[string]bool
}

// display shows a run to whoever watches.
type display interface {
	// record is called once for every record, in order.
	record(engine.Record) error
	// view is called when something may have changed.
	view(engine.RunView) error
	// close ends the display with the last view.
	close(engine.RunView) error
}

// refresh is how often a terminal is redrawn while nothing is committed: durations
// go on.
const refresh = 250 * time.Millisecond

func (f *follower) follow(ctx context.Context) error {
	f.asked = map[string]bool{}
	person := terminal(f.in) && terminal(f.err)
	f.lines = lineReader{in: f.in}
	f.display = f.choose()
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	for {
		v, err := f.update(ctx)
		if err != nil {
			return err
		}
		if v.State.Ended() {
			return f.ended(v)
		}
		more, err := f.attend(ctx, v, person)
		if err != nil {
			return err
		}
		if more {
			continue
		}
		select {
		case <-ctx.Done():
			return &exitError{exitFailed, errors.New(f.text.of("interrupted"))}
		case <-f.core.Failed():
			return failed(f.core.Err())
		case <-f.watch.wake:
		case <-tick.C:
		}
	}
}

// attend does what the run needs somebody for. It reports true when something was done,
// and ends with the reason why nobody is there who could.
func (f *follower) attend(ctx context.Context, v engine.RunView, person bool) (bool, error) {
	node, human := askable(v)
	switch {
	case human && person && !f.asked[key(node, v)]:
		return true, f.ask(ctx, v, node)
	case v.State == engine.RunBlocked && person && undecided(v) != "":
		if f.decide(ctx, v, undecided(v)) {
			return true, nil
		}
		return false, f.blocked(v, human)
	case stuck(v) && !f.options.wait:
		return false, f.blocked(v, human)
	}
	return false, nil
}

// choose picks the display that suits where the output goes.
func (f *follower) choose() display {
	switch {
	case f.options.asJSON:
		return jsonLines{json.NewEncoder(f.out)}
	case terminal(f.out) && f.getenv("TERM") != "dumb":
		return &screen{program: f.program, flow: f.flow, out: f.out, colour: f.colour(f.out)}
	default:
		return &plainLines{program: f.program, flow: f.flow, out: f.out}
	}
}

// update shows the records that are new and the state that they made.
func (f *follower) update(ctx context.Context) (engine.RunView, error) {
	ctx = context.WithoutCancel(ctx)
	for {
		rs, err := f.core.Runs.Records(ctx, runs.RecordsQuery{Project: f.project, Run: f.run, After: f.seq, Limit: runs.RecordsMax})
		if err != nil {
			return engine.RunView{}, failed(err)
		}
		for _, r := range rs.Items {
			if err := f.display.record(r); err != nil {
				return engine.RunView{}, failed(err)
			}
			f.seq = r.Seq
		}
		if len(rs.Items) < runs.RecordsMax {
			break
		}
	}
	v, err := f.core.Runs.View(ctx, f.project, f.run)
	if err != nil {
		return v, failed(err)
	}
	if v.Seq > f.seq { // more was committed meanwhile: its records come first, also before the run is said to be stuck
		return f.update(ctx)
	}
	return v, failed(f.display.view(v))
}

func (f *follower) ended(v engine.RunView) error {
	if err := f.display.close(v); err != nil {
		return failed(err)
	}
	if v.State == engine.RunSucceeded {
		return nil
	}
	return &exitError{code: exitFailed}
}

func (f *follower) blocked(v engine.RunView, human bool) error {
	if err := f.display.close(v); err != nil {
		return failed(err)
	}
	why := "is blocked"
	if human {
		why = "needs person"
	}
	return &exitError{exitBlocked, errors.New(f.text.of(why))}
}

// stuck reports whether nothing can move without a person.
func stuck(v engine.RunView) bool {
	if v.State == engine.RunBlocked {
		return true
	}
	human := false
	for _, n := range v.Nodes {
		switch n.State {
		case engine.NodeRunning, engine.NodeReady, engine.NodeRollingBack:
			return false
		case engine.NodeWaiting:
			if n.Wait == nil || n.Wait.Kind != contract.WaitHuman {
				return false
			}
			human = true
		default:
		}
	}
	return human
}

// askable returns a node that waits for a person.
func askable(v engine.RunView) (string, bool) {
	first := ""
	for id, n := range v.Nodes {
		if n.State == engine.NodeWaiting && n.Wait != nil && n.Wait.Kind == contract.WaitHuman && (first == "" || id < first) {
			first = id
		}
	}
	return first, first != ""
}

func key(node string, v engine.RunView) string {
	n := v.Nodes[node]
	return fmt.Sprintf("%s/%d/%d", node, n.Iteration, n.Attempt)
}

// ask lets the person at the terminal answer a wait.
func (f *follower) ask(ctx context.Context, v engine.RunView, node string) error {
	wait := v.Nodes[node].Wait
	if d, ok := f.display.(*screen); ok {
		d.drawn = 0 // what is drawn stays above the question
	}
	fmt.Fprintf(f.err, "\n%s: %s\n", nodeTitle(f.flow, node, f.text.lang), clean(wait.Prompt.In(f.text.lang)))
	data, err := f.answer(ctx, wait.Schema)
	if err != nil {
		return err
	}
	_, err = f.core.Runs.NodeCommand(ctx, runs.NodeCommandRequest{
		Project: f.project, Run: f.run, Node: node, Actor: f.core.Actor(), Command: runs.NodeCallback,
		Data: data, Attempt: v.Nodes[node].Attempt,
	})
	if err != nil {
		f.report(err)
		return nil // the node still waits: it is asked again
	}
	f.asked[key(node, v)] = true
	return nil
}

// answer reads an answer that fits the schema: y or n where a yes or no is all that
// is needed, else JSON.
func (f *follower) answer(ctx context.Context, schema json.RawMessage) (json.RawMessage, error) {
	field, yesNo := onlyBoolean(schema)
	for {
		if yesNo {
			fmt.Fprintf(f.err, "%s [y/n] ", f.text.of("ask"))
		} else {
			fmt.Fprintf(f.err, "%s: ", f.text.of("ask.json"))
		}
		line, err := f.lines.next(ctx)
		if err != nil {
			return nil, &exitError{exitBlocked, errors.New(f.text.of("needs person"))}
		}
		line = strings.TrimSpace(line)
		if !yesNo {
			if json.Valid([]byte(line)) {
				return json.RawMessage(line), nil
			}
			fmt.Fprintln(f.err, f.text.of("ask.badjson"))
			continue
		}
		switch strings.ToLower(line) {
		case "y", "yes", "是":
			return json.Marshal(map[string]bool{field: true})
		case "n", "no", "否":
			return json.Marshal(map[string]bool{field: false})
		default:
			fmt.Fprintln(f.err, f.text.of("ask.again"))
		}
	}
}

// onlyBoolean returns the property of a form whose only required answer is a yes or
// no.
func onlyBoolean(schema json.RawMessage) (string, bool) {
	var s struct {
		Properties map[string]struct {
			Type any `json:"type"`
		} `json:"properties"`
		Required []string `json:"required"`
	}
	if json.Unmarshal(schema, &s) != nil || len(s.Required) != 1 {
		return "", false
	}
	name := s.Required[0]
	return name, s.Properties[name].Type == "boolean"
}

// lineReader reads lines from a stream that cannot be interrupted.
type lineReader struct {
	in   io.Reader
	once sync.Once
	got  chan string
}

// next returns the next line, or an error when the stream or ctx ends.
func (l *lineReader) next(ctx context.Context) (string, error) {
	l.once.Do(func() {
		l.got = make(chan string)
		go func() {
			defer close(l.got)
			s := bufio.NewScanner(l.in)
			for s.Scan() {
				l.got <- s.Text()
			}
		}()
	})
	select {
	case line, ok := <-l.got:
		if !ok {
			return "", io.EOF
		}
		return line, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
