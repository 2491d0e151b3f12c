package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/auth"
	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/forms"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/plugins/cases"
	"github.com/culmhq/culm/pdk/contract"
)

// runPluginOptions are the flags of culm plugin run.
type runPluginOptions struct {
	inputs     []string
	inputsFile string
	reason     string
	state      string
	callback   string
	outputs    string
	field      string
	recorded   string
	caseName   string
	record     string
	grants     []string
	allow      []string
	data       string
	project    string
	demo       bool
	once       bool
	asJSON     bool
}

func (p *program) pluginRun() *cobra.Command {
	var o runPluginOptions
	c := &cobra.Command{
		Use:   "run [DIR|MODULE.wasm] ACTION",
		Short: "Run one action of a plugin, once",
		Long: "Run one action of a plugin and show what it does: its log, its calls of systems, its\n" +
			"answer, and what it used of its limits. A directory is built first. Nothing is installed.\n\n" +
			"Systems are real ones, of the data directory --data (whose server must not be running) with\n" +
			"the operations that --grant names, or those of --demo; or recorded ones: the answers in a\n" +
			"case of --recorded. Without either, every call of a system is refused.\n" +
			"--record adds what happened to a file of cases, as a case for culm plugin test.\n\n" +
			"An action that polls or waits for a time is called again until it ends, unless --once.\n\n" +
			"Exit codes: 0 succeeded, 1 failed, 2 the input was refused, 3 it waits for somebody.",
		Example: "  culm plugin run . greet --input name=Ada\n" +
			"  culm plugin run . count_hosts -i service=web --demo --record cases.yaml\n" +
			"  culm plugin run ticket.wasm open --inputs in.yaml --data ./data --grant itsm/create_ticket",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			path, action := ".", args[0]
			if len(args) == 2 {
				path, action = args[0], args[1]
			}
			return p.runPlugin(c.Context(), path, action, o)
		},
	}
	f := c.Flags()
	f.StringArrayVarP(&o.inputs, "input", "i", nil, "an input, name=value; may be repeated")
	f.StringVar(&o.inputsFile, "inputs", "", "a YAML or JSON file with inputs by name")
	f.StringVar(&o.reason, "reason", string(contract.ReasonExecute), "why it is called: "+strings.Join(reasons(), ", "))
	f.StringVar(&o.state, "state", "", "JSON: what the wait before carried")
	f.StringVar(&o.callback, "callback", "", "JSON: what came in, or what the person answered")
	f.StringVar(&o.outputs, "outputs", "", "JSON: the outputs of the attempt that is rolled back")
	f.StringVar(&o.field, "field", "", "the form field that wants choices; the inputs are its siblings")
	f.StringVar(&o.recorded, "recorded", "", "a file of cases whose answers systems give")
	f.StringVar(&o.caseName, "case", "", "the case of --recorded (default: the first one of the action)")
	f.StringVar(&o.record, "record", "", "add what happened to this file of cases")
	f.StringVar(&o.data, "data", "", "the data directory whose systems are called")
	f.StringVar(&o.project, "project", "", "the project (default: demo with --demo, else default)")
	f.StringArrayVar(&o.grants, "grant", nil, "let the plugin call an operation, SYSTEM/OPERATION; may be repeated")
	f.StringSliceVar(&o.allow, "allow", nil, "private or loopback targets that may be dialled, host:port")
	f.BoolVar(&o.demo, "demo", false, "serve the demo systems, and grant what the plugin asks of them")
	f.BoolVar(&o.once, "once", false, "make one call, also when the action waits")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	return c
}

// reasons are those that a plugin can be called for.
func reasons() []string {
	return []string{
		string(contract.ReasonExecute), string(contract.ReasonPoll), string(contract.ReasonTimer), string(contract.ReasonCallback),
		string(contract.ReasonCancel), string(contract.ReasonRollback), string(contract.ReasonOptions),
	}
}

// runPlugin reads everything that can be refused, and then makes the calls.
func (p *program) runPlugin(ctx context.Context, path, action string, o runPluginOptions) (err error) {
	if !slices.Contains(reasons(), o.reason) {
		return say("--reason %q: there is no such reason; there are %s", o.reason, strings.Join(reasons(), ", "))
	}
	if !o.demo && o.data == "" && len(o.grants)+len(o.allow) > 0 {
		return say("--grant and --allow are about systems: --demo or --data brings some")
	}
	recorded, err := p.recordedCase(action, o)
	if err != nil {
		return err
	}
	code, err := p.module(ctx, path)
	if err != nil {
		return err
	}
	box, err := p.open(ctx, code, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, failed(box.close())) }()
	a, ok := box.Manifest().Action(action)
	if !ok {
		return fmt.Errorf(p.text.of("run.action"), box.Manifest().ID, action, strings.Join(actionsOf(box.Manifest()), p.text.of("comma")))
	}
	req, err := p.firstRequest(a, o, recorded)
	if err != nil {
		return err
	}
	reach, closeSystems, err := p.systems(ctx, box, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeSystems()) }()
	t := &pluginRun{program: p, options: o, box: box, reach: reach, recorded: recorded}
	return t.all(ctx, req)
}

func actionsOf(m *contract.Manifest) []string {
	var ids []string
	for _, a := range m.Actions {
		ids = append(ids, a.ID)
	}
	return ids
}

// recordedCase is the case whose answers are given, nil where systems are real.
func (p *program) recordedCase(action string, o runPluginOptions) (*cases.Case, error) {
	if o.recorded == "" {
		return nil, nil //nolint:nilnil // there is none, and that is no error
	}
	if o.demo || o.data != "" {
		return nil, say("systems are recorded, or real: --recorded does not go with --demo and --data")
	}
	text, err := os.ReadFile(o.recorded)
	if err != nil {
		return nil, err
	}
	f, err := cases.Parse(text)
	if err != nil {
		return nil, p.problemsIn(o.recorded, err)
	}
	for i := range f.Cases {
		if c := &f.Cases[i]; c.Name == o.caseName || o.caseName == "" && c.Action == action {
			return c, nil
		}
	}
	return nil, say("%s: there is no case %s of the action %s", o.recorded, o.caseName, action)
}

// firstRequest makes the request of the first call and checks its inputs as a server does.
func (p *program) firstRequest(a *contract.Action, o runPluginOptions, recorded *cases.Case) (contract.Request, error) {
	req := contract.Request{
		ABI: contract.ABI, Action: a.ID, Reason: contract.Reason(o.reason), Field: o.field,
		Context: contract.Context{Project: app.DefaultProject(o.demo), Run: "trial", Node: "trial", Attempt: 1, Operator: auth.Local, Zone: "UTC"},
	}
	if o.project != "" {
		req.Context.Project = o.project
	}
	for _, v := range []struct {
		flag, text string
		to         *json.RawMessage
	}{{"state", o.state, &req.State}, {"callback", o.callback, &req.Callback}, {"outputs", o.outputs, &req.Outputs}} {
		if v.text == "" {
			continue
		}
		if !json.Valid([]byte(v.text)) {
			return req, say("--%s is not JSON", v.flag)
		}
		*v.to = json.RawMessage(v.text)
	}
	inputs, err := p.actionInputs(a, o)
	if err != nil {
		return req, err
	}
	if req.Inputs, err = json.Marshal(inputs); err != nil {
		return req, err
	}
	if len(inputs) == 0 && recorded != nil && len(recorded.Inputs) > 0 {
		req.Inputs = recorded.Inputs
	}
	if req.Reason == contract.ReasonOptions {
		req.Form = req.Inputs
		return req, nil
	}
	form, err := forms.Parse(a.Inputs)
	if err != nil {
		return req, err
	}
	if faults := form.Check(req.Inputs); len(faults) > 0 {
		fmt.Fprintln(p.err, p.text.labelled(p.text.of("refused"), fmt.Sprintf(p.text.of("run.inputs"), a.ID)))
		for _, f := range faults {
			fmt.Fprintln(p.err, "  "+p.text.labelled(f.Field, p.text.message(fault.New(fault.Invalid, "%s", f.Message).Because(f.Reason(), f.Want))))
		}
		return req, &exitError{code: exitRefused}
	}
	return req, nil
}

// actionInputs reads the inputs file and then the --input flags, which win.
func (p *program) actionInputs(a *contract.Action, o runPluginOptions) (map[string]json.RawMessage, error) {
	inputs := map[string]json.RawMessage{}
	if o.inputsFile != "" {
		content, err := p.read(o.inputsFile)
		if err != nil {
			return nil, err
		}
		js, _, err := document.JSON(content)
		if err != nil {
			return nil, p.problemsIn(o.inputsFile, err)
		}
		if err := json.Unmarshal(js, &inputs); err != nil {
			return nil, say("%s: inputs are a list of name: value", o.inputsFile)
		}
	}
	var schema struct {
		Properties map[string]struct {
			Type any `json:"type"`
		} `json:"properties"`
	}
	if err := json.Unmarshal(a.Inputs, &schema); err != nil {
		return nil, err
	}
	for _, kv := range o.inputs {
		name, value, ok := strings.Cut(kv, "=")
		if !ok || name == "" {
			return nil, say("--input %q is not name=value", kv)
		}
		if schema.Properties[name].Type != "string" && json.Valid([]byte(value)) {
			inputs[name] = json.RawMessage(value)
			continue
		}
		quoted, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		inputs[name] = quoted
	}
	return inputs, nil
}

// systems opens the systems that are called: nil where there are none.
func (p *program) systems(ctx context.Context, box *sandbox, o runPluginOptions) (*app.Trial, func() error, error) {
	none := func() error { return nil }
	if !o.demo && o.data == "" {
		return nil, none, nil
	}
	grants, err := trialGrants(box.Manifest(), o)
	if err != nil {
		return nil, nil, err
	}
	cfg, done, err := runConfig(runOptions{demo: o.demo, allow: o.allow, data: o.data})
	if err != nil {
		return nil, nil, err
	}
	deps := p.deps(cfg, nil)
	deps.Plugins, deps.CacheDir = nil, p.cacheDir()
	core, err := app.Open(ctx, cfg, deps)
	if err != nil {
		return nil, nil, failed(errors.Join(err, done()))
	}
	project := o.project
	if project == "" {
		project = app.DefaultProject(o.demo)
	}
	info := box.module.Info()
	trial, err := core.Try(app.TrialRequest{Project: project, Plugin: info.Manifest.ID, Digest: info.Digest, Grants: grants})
	stop := func() error {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		return failed(errors.Join(core.Stop(stopping), done()))
	}
	if err != nil {
		return nil, nil, failed(errors.Join(err, stop()))
	}
	return trial, func() error { trial.Close(); return stop() }, nil
}

// trialGrants are those of the command line, and with --demo those of the pretended
// platform, which nothing can be done to.
func trialGrants(m *contract.Manifest, o runPluginOptions) ([]plugins.Grant, error) {
	var grants []plugins.Grant
	for i, g := range o.grants {
		system, operation, ok := strings.Cut(g, "/")
		if !ok || system == "" || operation == "" {
			return nil, say("--grant %d: %q is not SYSTEM/OPERATION", i+1, g)
		}
		if !cases.Covered(m.Needs, system, operation) {
			return nil, say("--grant %d: the plugin does not ask for %s; it asks for %s", i+1, g, strings.Join(needsOf(m), ", "))
		}
		grants = append(grants, plugins.Grant{System: system, Operation: operation})
	}
	for _, n := range m.Needs {
		if o.demo && n.System == "demo" {
			grants = append(grants, plugins.Grant{System: n.System, Operation: n.Operation})
		}
	}
	return grants, nil
}
