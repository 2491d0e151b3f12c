package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/runs"
)

// choice is what a person can decide about a node, and the letter for it.
type choice struct {
	letter, text string
	command      runs.NodeCommandRequest
}

// undecided returns the first node, by path, that only a person can move on.
func undecided(v engine.RunView) string {
	first := ""
	for id, n := range v.Nodes {
		if len(choices(n.State)) > 0 && (first == "" || id < first) {
			first = id
		}
	}
	return first
}

// choices are what can be decided about a node in a state. What the flow forbids is
// refused when it is chosen.
func choices(s engine.NodeState) []choice {
	switch s {
	case engine.NodeFailed, engine.NodeRollbackFailed:
		return []choice{
			{"r", "decide.retry", runs.NodeCommandRequest{Command: runs.NodeRetry}},
			{"s", "decide.skip", runs.NodeCommandRequest{Command: runs.NodeSkip}},
		}
	case engine.NodeUnknown:
		return []choice{
			{"d", "decide.done", runs.NodeCommandRequest{Command: runs.NodeResolve, As: engine.ResolveDone}},
			{"r", "decide.retry", runs.NodeCommandRequest{Command: runs.NodeResolve, As: engine.ResolveRetry}},
			{"f", "decide.fail", runs.NodeCommandRequest{Command: runs.NodeResolve, As: engine.ResolveFail}},
		}
	case engine.NodeIdle, engine.NodeReady, engine.NodeRunning, engine.NodeWaiting, engine.NodeSuspended, engine.NodeSucceeded,
		engine.NodeSkipped, engine.NodeCancelled, engine.NodeRollingBack, engine.NodeRolledBack:
		return nil
	}
	return nil
}

// decide asks the person at the terminal what to do with a node. It reports false when
// he leaves the run as it is.
func (f *follower) decide(ctx context.Context, v engine.RunView, node string) bool {
	n := v.Nodes[node]
	if d, ok := f.display.(*screen); ok {
		d.drawn = 0 // what is drawn stays above the question
	}
	fmt.Fprintf(f.err, "\n%s: %s", nodeTitle(f.flow, node, f.text.lang), f.text.of(string(n.State)))
	if n.Failure != nil {
		fmt.Fprintf(f.err, "  %s", clean(f.text.failureText(n.Failure)))
		for _, l := range f.text.failureHelp(n.Failure) {
			fmt.Fprintf(f.err, "\n  %s", l)
		}
	}
	fmt.Fprintln(f.err)
	options := choices(n.State)
	for {
		for _, c := range options {
			fmt.Fprintf(f.err, "[%s] %s  ", c.letter, f.text.of(c.text))
		}
		fmt.Fprintf(f.err, "[q] %s: ", f.text.of("decide.quit"))
		line, err := f.lines.next(ctx)
		if err != nil {
			return false // nobody answers any more
		}
		letter := strings.ToLower(strings.TrimSpace(line))
		if letter == "q" {
			return false
		}
		i := slices.IndexFunc(options, func(c choice) bool { return c.letter == letter })
		if i < 0 {
			continue
		}
		r := options[i].command
		r.Project, r.Run, r.Node, r.Actor = f.project, f.run, node, f.core.Actor()
		if _, err := f.core.Runs.NodeCommand(ctx, r); err != nil {
			f.report(err)
			continue
		}
		return true
	}
}
