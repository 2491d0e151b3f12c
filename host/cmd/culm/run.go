package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/config"
	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/projects"
	"github.com/culmhq/culm/host/runs"
)

// runOptions are the flags of culm run.
type runOptions struct {
	inputs     []string
	inputsFile string
	grants     []string
	allow      []string
	data       string
	project    string
	name       string
	asJSON     bool
	wait       bool
	demo       bool
	selection  runs.Selection
	startAt    string
}

func (p *program) runCommand() *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "run FLOW.yaml",
		Short: "Run a flow without a server",
		Long: "Run a flow document to its end, without a server, and show how it goes.\n\n" +
			"The run is kept in a temporary database, or in --data, which a server can take over\n" +
			"later. A node that asks a person asks in the terminal, and so does one that failed;\n" +
			"without a terminal the run is blocked there.\n\n" +
			"Plugins reach only systems that are registered, at allowed addresses, and only with a\n" +
			"grant: --demo brings the demo systems with theirs, culm system add and --grant others.\n\n" +
			"Exit codes: 0 succeeded, 1 failed or revoked, 2 the input was refused, 3 blocked.",
		Example: "  culm run --demo host/demo/flows/canary-release.yaml\n" +
			"  culm run deploy.yaml --input service=web --input 'hosts=[\"web-1\",\"web-2\"]'\n" +
			"  culm run deploy.yaml --inputs values.yaml --json > records.jsonl\n" +
			"  culm run triage.yaml --data ./data --allow 127.0.0.1:9090 --grant prometheus=prometheus/query",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return p.runFlow(c.Context(), args[0], o) },
	}
	f := c.Flags()
	f.StringArrayVarP(&o.inputs, "input", "i", nil, "an input, name=value; may be repeated")
	f.StringVar(&o.inputsFile, "inputs", "", "a YAML or JSON file with inputs by name")
	f.StringArrayVar(&o.grants, "grant", nil, "let a plugin call an operation, PLUGIN=SYSTEM/OPERATION; may be repeated")
	f.StringSliceVar(&o.allow, "allow", nil, "private or loopback targets that may be dialled, host:port")
	f.StringVar(&o.data, "data", "", "keep the run in this data directory (default: a temporary one)")
	f.StringVar(&o.project, "project", "", "the project (default: demo with --demo, else default)")
	f.StringVar(&o.name, "name", "", "the name of the run")
	f.StringSliceVar(&o.selection.Schemes, "scheme", nil, "leave out the optional nodes of a scheme of the flow, by id; may be repeated")
	f.StringSliceVar(&o.selection.Without, "without", nil, "leave out an optional node, by id; may be repeated")
	f.StringVar(&o.startAt, "start-at", "", "begin at this node instead of the start")
	f.BoolVar(&o.asJSON, "json", false, "print the records as JSON lines")
	f.BoolVar(&o.wait, "wait", false, "stay when the run is blocked, instead of ending with exit code 3")
	f.BoolVar(&o.demo, "demo", false, "serve the demo systems while the flow runs")
	return c
}

// runFlow reads and checks everything that can be refused, and then runs the flow.
func (p *program) runFlow(ctx context.Context, file string, o runOptions) (err error) {
	content, err := p.read(file)
	if err != nil {
		return err
	}
	src, err := flows.ParseYAML(content, file)
	if err != nil {
		return p.refused(err)
	}
	inputs, err := p.readInputs(src.Flow, o)
	if err != nil {
		return err
	}
	if o.project == "" {
		o.project = app.DefaultProject(o.demo)
	}
	cfg, done, err := runConfig(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	w := newWatch()
	deps := p.deps(cfg, w)
	deps.CacheDir = p.cacheDir()
	core, err := app.Open(ctx, cfg, deps)
	if err != nil {
		return failed(err)
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.Drain)
		defer cancel()
		if stopErr := core.Stop(stopping); stopErr != nil && err == nil {
			err = failed(stopErr)
		}
	}()
	if err := core.Start(ctx); err != nil {
		return failed(err)
	}
	started, err := p.start(ctx, core, src, inputs, o)
	if err != nil {
		return err
	}
	whole, err := running(ctx, core, o.project, started.ID)
	if err != nil {
		return err
	}
	f := &follower{program: p, core: core, flow: whole, project: o.project, run: started.ID, watch: w, options: o}
	return f.follow(ctx)
}

// running reads the document that a run runs, its subflows included.
func running(ctx context.Context, core *app.Core, project, run string) (*engine.Flow, error) {
	d, err := core.Runs.Get(ctx, project, run)
	if err != nil {
		return nil, failed(err)
	}
	var f engine.Flow
	if err := json.Unmarshal(d.Document, &f); err != nil {
		return nil, failed(err)
	}
	return &f, nil
}

// runConfig is the configuration of a program without a listener. done removes the
// temporary data.
func runConfig(o runOptions) (cfg config.Config, done func() error, err error) {
	cfg = config.Default()
	cfg.Demo, cfg.Allow, cfg.Data = o.demo, o.allow, o.data
	cfg.Log.Level = "warn"
	cfg.Drain = 5 * time.Second
	done = func() error { return nil }
	if o.data == "" {
		if cfg.Data, err = os.MkdirTemp("", "culm-run-"); err != nil {
			return cfg, nil, failed(err)
		}
		done = func() error { return failed(os.RemoveAll(cfg.Data)) }
	}
	if err := cfg.Validate(); err != nil {
		return cfg, nil, errors.Join(err, done())
	}
	return cfg, done, nil
}

// cacheDir is where compiled plugins are kept between runs, which mostly keep no data;
// empty when the user has no such place.
func (p *program) cacheDir() string {
	dir := p.getenv("XDG_CACHE_HOME")
	if dir == "" {
		if dir = p.getenv("HOME"); dir == "" {
			return ""
		}
		dir = filepath.Join(dir, ".cache")
	}
	if !filepath.IsAbs(dir) {
		return ""
	}
	return filepath.Join(dir, "culm", "compiled")
}

// start stores the flow, publishes it and starts a run of it.
func (p *program) start(ctx context.Context, core *app.Core, src *flows.Source, inputs map[string]json.RawMessage, o runOptions) (runs.Summary, error) {
	actor := core.Actor()
	if err := core.Projects.Ensure(ctx, projects.Project{ID: o.project, Name: o.project, Zone: "UTC"}); err != nil {
		return runs.Summary{}, err
	}
	if err := grant(ctx, core, o); err != nil {
		return runs.Summary{}, err
	}
	ps, err := core.Flows.Validate(ctx, o.project, src.Flow)
	if err != nil {
		return runs.Summary{}, err
	}
	if flows.Errors(ps) {
		for _, q := range src.Locate(ps) {
			fmt.Fprintln(p.err, p.text.located(q))
		}
		return runs.Summary{}, &exitError{code: exitRefused}
	}
	detail, err := store(ctx, core, src, o.project)
	if err != nil {
		return runs.Summary{}, err
	}
	v, err := core.Flows.Publish(ctx, flows.PublishRequest{
		Project: o.project, Actor: actor, Flow: detail.ID, Revision: detail.Revision, Note: "culm run",
	})
	if err != nil {
		return runs.Summary{}, err
	}
	return core.Runs.Start(ctx, runs.StartRequest{
		Project: o.project, Actor: actor, Flow: detail.ID, Name: o.name, Version: v.Number, Inputs: inputs,
		Selection: o.selection, StartAt: o.startAt,
	})
}

// store saves the document as the draft of its flow, which may be there already.
func store(ctx context.Context, core *app.Core, src *flows.Source, project string) (flows.Detail, error) {
	doc := *src.Flow
	if doc.ID == "" {
		doc.ID = slug(src.File)
	}
	old, err := core.Flows.Get(ctx, project, doc.ID)
	if fault.Is(err, fault.NotFound) {
		return core.Flows.Create(ctx, flows.CreateRequest{Project: project, Actor: core.Actor(), Document: &doc})
	}
	if err != nil {
		return flows.Detail{}, err
	}
	return core.Flows.Save(ctx, flows.SaveRequest{
		Project: project, Actor: core.Actor(), Flow: doc.ID, Revision: old.Revision, Document: &doc,
	})
}

// slug makes a flow id of a file's name, "" where nothing of it can be used.
func slug(file string) string {
	base := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		default:
			return '-'
		}
	}, base)
	out = strings.TrimLeft(out, "-0123456789")
	return strings.TrimRight(out[:min(len(out), 64)], "-")
}

// grant adds the grants of the command line to those that are there.
func grant(ctx context.Context, core *app.Core, o runOptions) error {
	more := map[string][]plugins.Grant{}
	for i, g := range o.grants {
		plugin, op, ok := strings.Cut(g, "=")
		system, operation, ok2 := strings.Cut(op, "/")
		if !ok || !ok2 || plugin == "" || system == "" || operation == "" {
			return say("--grant %d: %q is not PLUGIN=SYSTEM/OPERATION", i+1, g)
		}
		more[plugin] = append(more[plugin], plugins.Grant{System: system, Operation: operation})
	}
	for id, grants := range more {
		have, err := core.Plugins.Get(ctx, o.project, id)
		if err != nil {
			return err
		}
		_, err = core.Plugins.SetGrants(ctx, plugins.GrantsRequest{
			Project: o.project, Actor: core.Actor(), Plugin: id, Grants: append(have.Grants, grants...),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readInputs reads the inputs file and then the --input flags, which win.
func (p *program) readInputs(f *engine.Flow, o runOptions) (map[string]json.RawMessage, error) {
	inputs := map[string]json.RawMessage{}
	if o.inputsFile != "" {
		content, err := p.read(o.inputsFile)
		if err != nil {
			return nil, err
		}
		js, _, err := document.JSON(content)
		if err != nil {
			return nil, say("%s: %s", o.inputsFile, err)
		}
		if err := json.Unmarshal(js, &inputs); err != nil {
			return nil, say("%s: inputs are a list of name: value", o.inputsFile)
		}
	}
	for _, kv := range o.inputs {
		name, value, ok := strings.Cut(kv, "=")
		if !ok || name == "" {
			return nil, say("--input %q is not name=value", kv)
		}
		inputs[name] = literal(f, name, value)
	}
	return inputs, nil
}

// literal reads a value from the command line: text for a variable that is a text,
// else JSON, and text where it is none.
func literal(f *engine.Flow, name, value string) json.RawMessage {
	quoted, err := json.Marshal(value)
	if err != nil {
		return nil
	}
	for i := range f.Variables {
		v := &f.Variables[i]
		if v.Name != name {
			continue
		}
		var schema struct {
			Type any `json:"type"`
		}
		if len(v.Schema) == 0 || (json.Unmarshal(v.Schema, &schema) == nil && schema.Type == "string") {
			return quoted
		}
	}
	if json.Valid([]byte(value)) {
		return json.RawMessage(value)
	}
	return quoted
}

// nodeTitle is the name of a node as it is shown; that of one inside a subflow follows
// the subflow's.
func nodeTitle(f *engine.Flow, path, lang string) string {
	var titles []string
	in := f
	for rest := path; rest != ""; {
		var id string
		id, rest, _ = strings.Cut(rest, ".")
		title := id
		var inside *engine.Flow
		for i := range in.Nodes {
			if n := &in.Nodes[i]; n.ID == id {
				if !n.Name.IsZero() {
					title = n.Name.In(lang)
				}
				inside = f.Subflows[n.Reference()]
			}
		}
		titles = append(titles, title)
		if inside == nil {
			break
		}
		in = inside
	}
	return strings.Join(titles, " / ")
}
