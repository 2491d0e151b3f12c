package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/simulate"
)

// The columns of a chart: those of the titles, of the durations, and the fewest and most
// of the bars.
const (
	ganttTitle = 24
	ganttTook  = 9
	ganttLeast = 20
	ganttMost  = 100
	// ganttGap is how wide a stretch is drawn in which nothing runs and that would leave
	// too little for the rest.
	ganttGap = 5
)

// ganttRow is a node in a chart, with all its attempts.
type ganttRow struct {
	path  string
	depth int
	spans []simulate.Span
}

// ganttRows makes a row for every task, subflow and failed gateway, in the order in which
// they were reached, the inside of a subflow below it.
func ganttRows(spans []simulate.Span) []ganttRow {
	byPath, inside := map[string]*ganttRow{}, map[string][]*ganttRow{}
	for _, s := range spans {
		shown := s.Type == engine.TypeTask || s.Type == engine.TypeSubflow || s.Failure != nil
		if !shown {
			continue
		}
		r := byPath[s.Node]
		if r == nil {
			r = &ganttRow{path: s.Node}
			byPath[s.Node] = r
			up := s.Node[:max(strings.LastIndexByte(s.Node, '.'), 0)]
			inside[up] = append(inside[up], r)
		}
		r.spans = append(r.spans, s)
	}
	var rows []ganttRow
	var below func(parent string, depth int)
	below = func(parent string, depth int) {
		for _, r := range inside[parent] {
			r.depth = depth
			rows = append(rows, *r)
			below(r.path, depth+1)
		}
	}
	below("", 0)
	return rows
}

// axis says in which column an instant is. Long stretches in which nothing runs are drawn
// shorter than they are.
type axis struct {
	stretches []stretch
	columns   int
	// cut reports whether a stretch is drawn shorter.
	cut bool
}

// stretch is a piece of an axis with one scale.
type stretch struct {
	from, to int64 // milliseconds
	at, wide float64
	cut      bool
}

func newAxis(elapsed int64, gaps []simulate.Gap, columns int) axis {
	a := axis{columns: columns}
	busy := elapsed
	for _, g := range gaps {
		busy -= g.ToMS - g.FromMS
	}
	at := int64(0)
	add := func(to int64, cut bool) {
		if to > at {
			a.stretches = append(a.stretches, stretch{from: at, to: to, cut: cut})
			at = to
		}
	}
	cuts := 0
	for _, g := range gaps {
		if wide := g.ToMS - g.FromMS; busy > 0 && wide > 2*busy && (cuts+1)*ganttGap <= columns/2 {
			add(g.FromMS, false)
			add(g.ToMS, true)
			cuts++
		}
	}
	add(max(elapsed, 1), false)
	scaled := int64(0)
	for _, s := range a.stretches {
		if !s.cut {
			scaled += s.to - s.from
		}
	}
	column := 0.0
	for i := range a.stretches {
		s := &a.stretches[i]
		s.at = column
		if s.wide = ganttGap; !s.cut {
			s.wide = float64(columns-cuts*ganttGap) * float64(s.to-s.from) / float64(max(scaled, 1))
		}
		column += s.wide
	}
	a.cut = cuts > 0
	return a
}

// column is where an instant is, from 0 to the number of columns.
func (a axis) column(ms int64) float64 {
	for _, s := range a.stretches {
		if ms <= s.to {
			return s.at + s.wide*float64(max(ms-s.from, 0))/float64(s.to-s.from)
		}
	}
	return float64(a.columns)
}

// cells are the columns that a stretch of time covers: at least one.
func (a axis) cells(from, to int64) (first, last int) {
	const hair = 1e-9
	first = min(int(a.column(from)+hair), a.columns-1)
	last = min(int(a.column(to)-hair), a.columns-1)
	return first, max(first, last)
}

// ganttCell is one character of a bar; a later kind is drawn over an earlier one.
type ganttCell int

const (
	cellNone ganttCell = iota
	cellSuspended
	cellWaiting
	cellUnknown
	cellRunning
	cellUndoing
	cellFailed
)

func (c ganttCell) draw() (sgr, mark string) {
	switch c {
	case cellSuspended:
		return "33", "‖"
	case cellWaiting:
		return "33", "░"
	case cellUnknown:
		return "35", "?"
	case cellRunning:
		return "36", "█"
	case cellUndoing:
		return "35", "▒"
	case cellFailed:
		return "31", "✘"
	case cellNone:
	}
	return "", " "
}

func cellOf(s engine.NodeState) ganttCell {
	switch s {
	case engine.NodeRunning:
		return cellRunning
	case engine.NodeRollingBack:
		return cellUndoing
	case engine.NodeWaiting:
		return cellWaiting
	case engine.NodeReady, engine.NodeSuspended:
		return cellSuspended
	case engine.NodeUnknown:
		return cellUnknown
	default:
		return cellNone
	}
}

// bar draws the attempts of a row.
func (a axis) bar(r ganttRow, style func(sgr, s string) string) string {
	cells := make([]ganttCell, a.columns)
	put := func(from, to int64, c ganttCell) {
		first, last := a.cells(from, to)
		for i := first; i <= last; i++ {
			cells[i] = max(cells[i], c)
		}
	}
	for _, s := range r.spans {
		for _, p := range s.Parts {
			if p.ToMS > p.FromMS || len(s.Parts) == 1 {
				put(p.FromMS, p.ToMS, cellOf(p.State))
			}
		}
		if s.Failure != nil && s.EndMS != nil {
			_, last := a.cells(s.StartMS, *s.EndMS)
			cells[last] = cellFailed
		}
	}
	var b strings.Builder
	for i := 0; i < len(cells); {
		j := i
		for j < len(cells) && cells[j] == cells[i] {
			j++
		}
		sgr, mark := cells[i].draw()
		if run := strings.Repeat(mark, j-i); sgr == "" {
			b.WriteString(run)
		} else {
			b.WriteString(style(sgr, run))
		}
		i = j
	}
	return b.String()
}

// ruler draws the axis and the line of times below it.
func (a axis) ruler() (line, times string) {
	marks := []rune(strings.Repeat("─", a.columns))
	labels := []rune(strings.Repeat(" ", a.columns+ganttTook))
	taken := 0
	mark := func(ms int64, r rune) {
		at := min(int(a.column(ms)+0.5), a.columns-1)
		label := []rune(virtual(ms))
		if at < taken || at+len(label) > len(labels) {
			return
		}
		marks[at] = r
		copy(labels[at:], label)
		taken = at + len(label) + 2
	}
	for _, s := range a.stretches {
		if s.cut {
			first, last := a.cells(s.from, s.to)
			for i := first; i <= last; i++ {
				marks[i] = '╌'
			}
		}
	}
	mark(0, '├')
	end := a.stretches[len(a.stretches)-1].to
	for _, s := range a.stretches {
		switch {
		case s.cut:
			mark(s.to, '┼')
		case !a.cut:
			for i := int64(1); i < 4; i++ {
				mark(end*i/4, '┼')
			}
		}
	}
	mark(end, '┤')
	marks[a.columns-1] = '┤'
	return string(marks), strings.TrimRight(string(labels), " ")
}

// virtual is a virtual duration as people read it, in at most eight characters.
func virtual(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	switch {
	case d == 0:
		return "0s"
	case d < time.Second:
		return fmt.Sprintf("%dms", ms)
	case d < time.Minute:
		return strings.Replace(fmt.Sprintf("%.1fs", d.Seconds()), ".0s", "s", 1)
	case d < time.Hour:
		return two(d, time.Minute, "m", time.Second, "s")
	case d < 48*time.Hour:
		return two(d, time.Hour, "h", time.Minute, "m")
	}
	return two(d, 24*time.Hour, "d", time.Hour, "h")
}

// two writes a duration in a unit and a smaller one, which is left out when it is zero.
func two(d, big time.Duration, bigName string, small time.Duration, smallName string) string {
	out := fmt.Sprintf("%d%s", d/big, bigName)
	if rest := d % big / small; rest > 0 {
		out += fmt.Sprintf("%d%s", rest, smallName)
	}
	return out
}

// gantt draws the timeline of a report.
func (p *program) gantt(f *engine.Flow, r *simulate.Report, style func(sgr, s string) string) []string {
	rows := ganttRows(r.Timeline)
	if len(rows) == 0 {
		return nil
	}
	wide := min(max(columns(p.out)-ganttTitle-ganttTook-7, ganttLeast), ganttMost)
	a := newAxis(r.ElapsedMS, r.Gaps, wide)
	var lines []string
	for _, row := range rows {
		last := row.spans[len(row.spans)-1]
		sgr, mark := paint(last.State)
		indent := strings.Repeat("  ", min(row.depth, 4))
		title := cells().FillRight(cut(indent+pathTitle(f, row.path, p.text.lang), ganttTitle), ganttTitle)
		note := ""
		if n := len(row.spans); n > 1 {
			note = fmt.Sprintf(" ×%d", n)
		}
		line := fmt.Sprintf("%s %s │%s│ %s%s", style(sgr, mark), title, a.bar(row, style), virtual(took(row)), note)
		lines = append(lines, strings.TrimRight(line, " "))
	}
	line, times := a.ruler()
	pad := strings.Repeat(" ", ganttTitle+3)
	return append(lines, style("90", pad+line), style("90", pad+times))
}

// took is how long the attempts of a row took together.
func took(r ganttRow) int64 {
	sum := int64(0)
	for _, s := range r.spans {
		end := s.StartMS
		if n := len(s.Parts); n > 0 {
			end = s.Parts[n-1].ToMS
		}
		if s.EndMS != nil {
			end = *s.EndMS
		}
		sum += end - s.StartMS
	}
	return sum
}

// pathTitle is the name of a node at a path, as nodeTitle says it for those of the flow
// itself.
func pathTitle(f *engine.Flow, path, lang string) string {
	scope := f
	for {
		id, rest, deeper := strings.Cut(path, ".")
		if !deeper {
			return clean(nodeTitle(scope, id, lang))
		}
		i := slices.IndexFunc(scope.Nodes, func(n engine.Node) bool { return n.ID == id })
		if i < 0 {
			return clean(path)
		}
		next := f.Subflows[scope.Nodes[i].Reference()]
		if next == nil {
			return clean(path)
		}
		scope, path = next, rest
	}
}
