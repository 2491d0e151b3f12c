package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// jsonLines prints the records as they are.
type jsonLines struct{ e *json.Encoder }

func (d jsonLines) record(r engine.Record) error { return d.e.Encode(r) }
func (d jsonLines) view(engine.RunView) error    { return nil }
func (d jsonLines) close(engine.RunView) error   { return nil }

// plainLines prints a line for every change: for logs and pipes.
type plainLines struct {
	*program
	flow *engine.Flow
	out  io.Writer
}

func (d *plainLines) record(r engine.Record) error {
	at := r.At.Format(time.TimeOnly)
	var err error
	switch c := r.Data.(type) {
	case engine.RunChanged:
		_, err = fmt.Fprintf(d.out, "%s  %s\n", at, d.text.of(string(c.To)))
	case engine.NodeChanged:
		line := fmt.Sprintf("%s    %s: %s", at, nodeTitle(d.flow, r.Node, d.text.lang), d.text.of(string(c.To)))
		switch {
		case c.Failure != nil:
			line += "  " + clean(d.text.failureText(c.Failure))
			for _, l := range d.text.failureHelp(c.Failure) {
				line += "\n" + at + "      " + l
			}
		case c.Wait != nil:
			line += "  (" + d.text.of(string(c.Wait.Kind)) + ")"
		}
		_, err = fmt.Fprintln(d.out, line)
	case engine.NodeNoted:
		for _, l := range c.Log {
			if _, err = fmt.Fprintf(d.out, "%s      %s: %s\n", at, l.Level, clean(l.Text)); err != nil {
				break
			}
		}
	default:
	}
	return err
}

func (d *plainLines) view(engine.RunView) error { return nil }

func (d *plainLines) close(v engine.RunView) error { return printOutputs(d.out, v) }

// screen redraws a compact picture of the run in place.
type screen struct {
	*program
	flow   *engine.Flow
	out    io.Writer
	colour bool

	order []string // nodes in the order they were reached
	drawn int      // lines on the terminal
}

// The colours of states, as SGR codes; chosen to be told apart without colour too.
func paint(s engine.NodeState) (sgr, mark string) {
	switch s {
	case engine.NodeSucceeded:
		return "32", "✔"
	case engine.NodeFailed, engine.NodeRollbackFailed:
		return "31", "✘"
	case engine.NodeRunning, engine.NodeRollingBack:
		return "36", "●"
	case engine.NodeWaiting:
		return "33", "◷"
	case engine.NodeSuspended, engine.NodeReady:
		return "33", "‖"
	case engine.NodeUnknown:
		return "35", "?"
	case engine.NodeSkipped, engine.NodeCancelled, engine.NodeRolledBack:
		return "90", "-"
	default:
		return "90", "·"
	}
}

func (d *screen) record(r engine.Record) error {
	if _, ok := r.Data.(engine.NodeChanged); ok && !slices.Contains(d.order, r.Node) {
		d.order = append(d.order, r.Node)
	}
	return nil
}

func (d *screen) view(v engine.RunView) error {
	var b strings.Builder
	if d.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", d.drawn)
	}
	lines := d.lines(v)
	// A line that is still too long is cut by the terminal: one that went on below
	// would be counted as one and leave a trail.
	b.WriteString("\x1b[?7l")
	for _, l := range lines {
		b.WriteString("\x1b[2K" + l + "\n")
	}
	b.WriteString("\x1b[?7h")
	d.drawn = len(lines)
	_, err := io.WriteString(d.out, b.String())
	return err
}

func (d *screen) close(v engine.RunView) error {
	if err := d.view(v); err != nil {
		return err
	}
	for _, id := range d.order {
		if n := v.Nodes[id]; n.Failure != nil {
			lines := append([]string{nodeTitle(d.flow, id, d.text.lang) + ": " + clean(d.text.failureText(n.Failure))}, d.text.failureHelp(n.Failure)...)
			if _, err := fmt.Fprintln(d.out, strings.Join(lines, "\n  ")); err != nil {
				return err
			}
		}
	}
	return printOutputs(d.out, v)
}

// linesMax bounds the picture: what does not fit a common terminal would scroll and
// leave a trail.
const linesMax = 20

func (d *screen) lines(v engine.RunView) []string {
	end := time.Now()
	if v.EndedAt != nil {
		end = *v.EndedAt
	}
	lines := []string{fmt.Sprintf("%s  %s  %s", d.style("1", v.Name), d.text.of(string(v.State)), span(v.CreatedAt, end))}
	order := d.order
	if hidden := len(order) - linesMax; hidden > 0 {
		lines = append(lines, d.style("90", fmt.Sprintf("  … %d", hidden)))
		order = order[hidden:]
	}
	for _, id := range order {
		n, ok := v.Nodes[id]
		if !ok {
			continue
		}
		lines = append(lines, d.line(id, n))
	}
	return lines
}

func (d *screen) line(id string, n engine.NodeView) string {
	sgr, mark := paint(n.State)
	took := ""
	if n.StartedAt != nil {
		end := time.Now()
		if n.EndedAt != nil {
			end = *n.EndedAt
		}
		took = span(*n.StartedAt, end)
	}
	l := fmt.Sprintf("  %s %s %s %7s", d.style(sgr, mark), column(nodeTitle(d.flow, id, d.text.lang), 28), column(d.text.of(string(n.State)), 10), took)
	if n.Attempt > 1 {
		l += fmt.Sprintf("  #%d", n.Attempt)
	}
	return l + d.remark(n)
}

// remark is what else there is to say of a node, in what is left of the line.
func (d *screen) remark(n engine.NodeView) string {
	const before = 54 // what line has written already
	width := max(columns(d.out)-before, 0)
	switch {
	case n.Failure != nil:
		return "  " + d.style("31", cut(clean(d.text.failureText(n.Failure)), width))
	case n.State == engine.NodeWaiting && n.Wait != nil && n.Wait.Kind == contract.WaitHuman:
		return "  " + cut(clean(n.Wait.Prompt.In(d.text.lang)), width)
	case n.State == engine.NodeWaiting && n.Wait != nil:
		return "  " + d.text.of(string(n.Wait.Kind))
	case n.Progress != nil && n.State == engine.NodeRunning:
		return fmt.Sprintf("  %d%% %s", n.Progress.Percent, cut(clean(n.Progress.Message), max(width-5, 0)))
	default:
		return ""
	}
}

func (d *screen) style(sgr, s string) string {
	if !d.colour {
		return s
	}
	return "\x1b[" + sgr + "m" + s + "\x1b[0m"
}

// printOutputs prints the outputs of a run that succeeded, in order of their names.
func printOutputs(w io.Writer, v engine.RunView) error {
	names := make([]string, 0, len(v.Outputs))
	for n := range v.Outputs {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		if _, err := fmt.Fprintf(w, "%s = %s\n", n, v.Outputs[n]); err != nil {
			return err
		}
	}
	return nil
}

// span is a duration as people read it.
func span(from, to time.Time) string {
	d := max(to.Sub(from), 0)
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// clean takes out what could command a terminal: plugins and outside systems write
// these texts.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || (r >= 0x7f && r < 0xa0) {
			return ' '
		}
		return r
	}, s)
}

// cut shortens a text to a number of columns; Chinese characters take two.
func cut(s string, columns int) string { return cells().Truncate(s, columns, "…") }

// column is cut, filled with blanks to that width.
func column(s string, columns int) string { return cells().FillRight(cut(s, columns), columns) }
