package engine

import (
	"encoding/json"
	"fmt"
	"strings"
)

// limitHistory is what the judge counts for the limits of a run, from the records alone.
// Histories of the first format were made without these limits.
type limitHistory struct {
	off   bool
	steps int
	bytes int
	// sizes of the values that are held, by variable and by node.
	sizes map[string]int
}

// hold notes that something holds a value of that size now.
func (l *limitHistory) hold(what string, size int) error {
	if l.sizes == nil {
		l.sizes = map[string]int{}
	}
	l.bytes += size - l.sizes[what]
	l.sizes[what] = size
	if !l.off && l.bytes > MaxRunBytes {
		return fmt.Errorf("the run holds %d bytes", l.bytes)
	}
	return nil
}

// started notes what a run begins with.
func (l *limitHistory) started(d *RunStarted) error {
	l.off = d.Format < 2
	return l.values("", d.Variables)
}

func (l *limitHistory) value(scope, name string, value json.RawMessage) error {
	if !l.off && len(value) > MaxValueBytes {
		return fmt.Errorf("variable %q holds %d bytes", name, len(value))
	}
	return l.hold("variable "+scope+"."+name, len(value))
}

func (l *limitHistory) values(scope string, values map[string]json.RawMessage) error {
	for name, value := range values {
		if err := l.value(scope, name, value); err != nil {
			return err
		}
	}
	return nil
}

// forget drops the variables and outputs of a scope that begins anew.
func (l *limitHistory) forget(scope string) {
	for what, size := range l.sizes {
		if strings.HasPrefix(what, "outputs "+scope+".") || strings.HasPrefix(what, "variable "+scope+".") {
			l.bytes -= size
			delete(l.sizes, what)
		}
	}
}

// undone drops what a node that is forgotten has held.
func (l *limitHistory) undone(id string, to NodeState) {
	if to != NodeIdle {
		return
	}
	for _, what := range []string{"inputs " + id, "outputs " + id} {
		l.bytes -= l.sizes[what]
		delete(l.sizes, what)
	}
}

// node counts what a change of a node begins and brings. begins is set when it is the
// first one of an attempt.
func (l *limitHistory) node(id string, begins bool, d *NodeChanged) error {
	if begins {
		l.steps++
	}
	if begins && !l.off && l.steps > MaxSteps && (d.To != NodeFailed || d.Failure.Code != FailStepLimit && d.Failure.Code != FailRerunLimit) {
		return fmt.Errorf("step %d of the run", l.steps)
	}
	if d.Inputs != nil {
		if err := l.hold("inputs "+id, len(d.Inputs)); err != nil {
			return err
		}
	}
	if d.Outputs != nil {
		return l.hold("outputs "+id, len(d.Outputs))
	}
	return nil
}
