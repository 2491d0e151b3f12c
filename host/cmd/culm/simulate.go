package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/simulate"
	"github.com/culmhq/culm/host/flows"
)

// simulateOptions are the flags of culm simulate.
type simulateOptions struct {
	script   string
	plugins  []string
	flows    []string
	asJSON   bool
	records  bool
	timeline bool
}

func (p *program) simulateCommand() *cobra.Command {
	var o simulateOptions
	c := &cobra.Command{
		Use:   "simulate FLOW.yaml",
		Short: "Run a flow in virtual time, with scripted answers",
		Long: "Run a flow in virtual time: no plugin is called and nothing is waited for. A script\n" +
			"says what the calls answer, what operators do, and what should come out; without one\n" +
			"every node succeeds with example outputs. The same script gives the same run.\n" +
			"docs/simulate.md explains scripts, schemas/script.v1.json describes them.\n\n" +
			"Exit codes: 0 all expectations were met and the run ended as expected (succeeded, when\n" +
			"the script does not say), 1 not so, or a limit stopped it, 2 the flow or the script was\n" +
			"refused, 3 the run waits for somebody and the script does not say that it should.",
		Example: "  culm simulate deploy.yaml\n" +
			"  culm simulate deploy.yaml --script rehearsal.yaml --timeline\n" +
			"  culm simulate deploy.yaml --script rehearsal.yaml --json --records > report.json",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.simulate(c.Context(), args[0], o) },
	}
	f := c.Flags()
	f.StringVarP(&o.script, "script", "s", "", "the script, YAML or JSON (- is standard input)")
	f.StringArrayVar(&o.plugins, "plugin", nil, "a further plugin module (*.wasm); may be repeated")
	f.StringArrayVar(&o.flows, "flow", nil, "a flow that subflow nodes name by its id; may be repeated")
	f.BoolVar(&o.asJSON, "json", false, "print the report as JSON")
	f.BoolVar(&o.records, "records", false, "add the records")
	f.BoolVar(&o.timeline, "timeline", false, "add every attempt with its times")
	return c
}

func (p *program) simulate(ctx context.Context, file string, o simulateOptions) error {
	catalogue, err := manifests(o.plugins)
	if err != nil {
		return err
	}
	content, err := p.read(file)
	if err != nil {
		return err
	}
	src, err := flows.ParseYAML(content, file)
	if err != nil {
		return p.refused(err)
	}
	if err := p.subflows(src.Flow, o.flows); err != nil {
		return err
	}
	if ps := flows.NewChecker(catalogue).Problems(src.Flow); flows.Errors(ps) {
		return p.located(src.Locate(ps))
	}
	script := &flows.ScriptSource{Script: &simulate.Script{Format: simulate.ScriptFormat}}
	if o.script != "" {
		if content, err = p.read(o.script); err != nil {
			return err
		}
		if script, err = flows.ParseScript(content, o.script); err != nil {
			return p.refused(err)
		}
	}
	report, err := simulate.Run(ctx, simulate.Request{Flow: src.Flow, Catalogue: catalogue, Script: script.Script})
	var e *simulate.Error
	if report == nil && errors.As(err, &e) {
		return p.notSimulated(e, src, script)
	}
	if report == nil {
		return failed(err)
	}
	if o.asJSON {
		err = p.reportJSON(report, o)
	} else {
		err = p.reportText(src.Flow, script, report, o)
	}
	return errors.Join(err, verdict(report, script.Script))
}

// subflows reads the flows that subflow nodes name, and adds them to the document for
// every version that is named.
func (p *program) subflows(f *engine.Flow, files []string) error {
	if len(files) == 0 {
		return nil
	}
	byID := map[string]*engine.Flow{}
	for _, file := range files {
		content, err := p.read(file)
		if err != nil {
			return err
		}
		src, err := flows.ParseYAML(content, file)
		if err != nil {
			return p.refused(err)
		}
		if src.Flow.ID == "" {
			src.Flow.ID = slug(file)
		}
		byID[src.Flow.ID] = src.Flow
	}
	if f.Subflows == nil {
		f.Subflows = map[string]*engine.Flow{}
	}
	var add func(in *engine.Flow)
	add = func(in *engine.Flow) {
		for i := range in.Nodes {
			n := &in.Nodes[i]
			child := byID[n.Flow]
			if n.Type != engine.TypeSubflow || child == nil || f.Subflows[n.Reference()] != nil {
				continue
			}
			f.Subflows[n.Reference()] = child
			add(child)
		}
	}
	add(f)
	return nil
}

// refused prints the problems of a text.
func (p *program) refused(err error) error {
	var syntax *flows.SyntaxError
	if errors.As(err, &syntax) {
		return p.located(syntax.Problems)
	}
	return err
}

func (p *program) located(ps []flows.Located) error {
	for _, q := range ps {
		fmt.Fprintln(p.err, p.text.located(q))
	}
	return &exitError{code: exitRefused}
}

// notSimulated says why there was no simulation.
func (p *program) notSimulated(e *simulate.Error, src *flows.Source, script *flows.ScriptSource) error {
	switch e.Code {
	case simulate.CodeFlow:
		return p.located(src.Locate(e.Problems))
	case simulate.CodeScript:
		return p.located(script.Locate(e.Problems))
	case simulate.CodeStart:
		return p.located(script.Locate([]engine.Problem{{
			Code: string(e.Code), Message: e.Message, Level: engine.SeverityError, Field: e.Field,
		}}))
	default:
		return failed(e)
	}
}

// verdict makes the exit code.
func verdict(r *simulate.Report, s *simulate.Script) error {
	decided := s.Expect != nil && s.Expect.Run != ""
	switch {
	case r.Stopped != nil, len(r.Unmet) > 0:
		return &exitError{code: exitFailed}
	case decided, r.State == engine.RunSucceeded:
		return nil
	case r.State.Ended():
		return &exitError{code: exitFailed}
	}
	return &exitError{code: exitBlocked}
}

func (p *program) reportJSON(r *simulate.Report, o simulateOptions) error {
	own := *r
	if !o.records {
		own = own.WithoutRecords()
	}
	return p.json(own)
}

// reportText prints a report for people.
func (p *program) reportText(f *engine.Flow, script *flows.ScriptSource, r *simulate.Report, o simulateOptions) error {
	style := func(_, s string) string { return s }
	if p.colour(p.out) {
		style = func(sgr, s string) string { return "\x1b[" + sgr + "m" + s + "\x1b[0m" }
	}
	t := &simulation{program: p, flow: f, script: script, report: r, style: style}
	t.head()
	t.line()
	for _, l := range p.gantt(f, r, style) {
		t.line(l)
	}
	if o.timeline {
		t.attempts()
	}
	t.failures()
	t.actions()
	t.outputs()
	t.unmet()
	t.unused()
	if _, err := fmt.Fprint(p.out, t.text.String()); err != nil {
		return failed(err)
	}
	if !o.records {
		return nil
	}
	e := json.NewEncoder(p.out)
	e.SetEscapeHTML(false)
	for _, rec := range r.Records {
		if err := e.Encode(rec); err != nil {
			return failed(err)
		}
	}
	return nil
}

// simulation is a report on its way to the terminal.
type simulation struct {
	*program
	flow   *engine.Flow
	script *flows.ScriptSource
	report *simulate.Report
	style  func(sgr, s string) string
	text   strings.Builder
}

func (t *simulation) line(parts ...string) {
	t.text.WriteString(strings.TrimRight(strings.Join(parts, ""), " ") + "\n")
}

// word is a text of the program in the reader's language.
func (t *simulation) word(key string) string { return t.program.text.of(key) }

// section begins a part of the report.
func (t *simulation) section(key string) {
	t.line()
	t.line(t.style("1", t.word(key)))
}

func (t *simulation) head() {
	sgr, mark := paintRun(t.report.State)
	name := t.flow.Name.In(t.program.text.lang)
	if name == "" {
		name = t.flow.ID
	}
	t.line(t.style(sgr, mark+" "+clean(name)), "  ",
		fmt.Sprintf(t.word("sim.elapsed"), t.word(string(t.report.State)), virtual(t.report.ElapsedMS)))
	if s := t.report.Stopped; s != nil {
		t.line(t.style("31", t.program.text.labelled(t.word("sim.stopped"), t.program.text.recognised(s.Message))+" ["+string(s.Code)+"]"))
	}
}

// attempts lists every attempt with its times.
func (t *simulation) attempts() {
	t.section("sim.timeline")
	for _, s := range t.report.Timeline {
		sgr, mark := paint(s.State)
		end := "…"
		if s.EndMS != nil {
			end = virtual(*s.EndMS)
		}
		name := s.Node
		if s.Iteration > 0 {
			name += fmt.Sprintf("[%d]", s.Iteration)
		}
		if s.Attempt > 1 {
			name += fmt.Sprintf("#%d", s.Attempt)
		}
		state := t.word(string(s.State))
		if s.By != "" {
			state += " (" + s.By + ")"
		}
		line := fmt.Sprintf("%9s %9s  %s %s %s", virtual(s.StartMS), end, t.style(sgr, mark), column(clean(name), ganttTitle), state)
		t.line(line, t.waits(s))
	}
}

// waits tells what an attempt waited for.
func (t *simulation) waits(s simulate.Span) string {
	out := ""
	for i := 0; i < len(s.Parts); {
		p, took, times := s.Parts[i], int64(0), 0
		for ; i < len(s.Parts) && (s.Parts[i].Wait == p.Wait || s.Parts[i].State == engine.NodeRunning && times > 0 && s.Parts[i].FromMS == s.Parts[i].ToMS); i++ {
			if s.Parts[i].Wait != "" {
				took += s.Parts[i].ToMS - s.Parts[i].FromMS
				times++
			}
		}
		if p.Wait == "" {
			continue
		}
		out += ", " + t.word(string(p.Wait)) + " " + virtual(took)
		if times > 1 {
			out += fmt.Sprintf(" ×%d", times)
		}
	}
	return out
}

// failures tells which nodes have a failure at the end.
func (t *simulation) failures() {
	begun := false
	for _, r := range ganttRows(t.report.Timeline) {
		s := r.spans[len(r.spans)-1]
		if s.Failure == nil {
			continue
		}
		if !begun {
			t.section("sim.failures")
			begun = true
		}
		sgr, mark := paint(s.State)
		t.line("  ", t.style(sgr, mark), " ", clean(s.Node), "  ", clean(t.program.text.failureText(s.Failure)))
	}
}

func (t *simulation) actions() {
	if len(t.report.Actions) == 0 {
		return
	}
	t.section("sim.actions")
	for _, a := range t.report.Actions {
		what := string(a.Do)
		switch own := t.script.Script.Actions[a.Action]; {
		case own.Do == simulate.DoRollback:
			what += " " + own.From + " → " + own.To
		case a.Node != "":
			what += " " + a.Node
		}
		outcome := t.style("32", "✔")
		if a.Refused != "" {
			outcome = t.style("33", "✘ "+string(a.Refused)) + "  " + clean(a.Message)
		}
		t.line(fmt.Sprintf("%9s  %s %s", virtual(a.AtMS), column(clean(what), ganttTitle), outcome))
	}
}

func (t *simulation) outputs() {
	if len(t.report.Run.Outputs) == 0 {
		return
	}
	t.section("sim.outputs")
	var b strings.Builder
	_ = printOutputs(&b, t.report.Run) // a builder takes everything
	for l := range strings.Lines(b.String()) {
		t.line("  ", clean(strings.TrimSpace(l)))
	}
}

func (t *simulation) unmet() {
	if len(t.report.Unmet) == 0 {
		return
	}
	t.section("sim.unmet")
	for _, u := range t.report.Unmet {
		t.line(t.style("31", "  ✘ "), t.script.Place(u.Pointer), ": ", clean(u.What), ": ",
			fmt.Sprintf(t.word("sim.want"), clean(u.Want), clean(u.Got)))
		if u.Detail != "" {
			t.line("    ", clean(u.Detail))
		}
	}
}

func (t *simulation) unused() {
	if len(t.report.Unused) == 0 {
		return
	}
	t.section("sim.unused")
	for _, u := range t.report.Unused {
		t.line("  ", t.script.Place(u), ": ", clean(u))
	}
}

// paintRun is paint for the states of runs.
func paintRun(s engine.RunState) (sgr, mark string) {
	switch s {
	case engine.RunSucceeded:
		return "1;32", "✔"
	case engine.RunFailed:
		return "1;31", "✘"
	case engine.RunBlocked:
		return "1;31", "■"
	case engine.RunSuspended:
		return "1;33", "‖"
	case engine.RunRevoked:
		return "1;90", "-"
	case engine.RunCreated, engine.RunRunning:
	}
	return "1;36", "●"
}
