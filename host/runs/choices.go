package runs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/forms"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/recordings"
	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/pdk/contract"
)

// CodeNeedsRuntime is the failure of choices that depend on a field whose value is
// known only when the flow runs.
const CodeNeedsRuntime = "NEEDS_RUNTIME"

// The limits of choices.
const (
	// ChoicesMax bounds how many choices a field gets, those below others included.
	ChoicesMax = 5000
	// choicesFormMax bounds the form that they are asked for with.
	choicesFormMax = 256 << 10
	choiceLabelMax = 500
	choiceDepthMax = 8
	// choicesTimeout is how long a person waits for them. It begins with the call: a plugin
	// that is used for the first time is made ready before.
	choicesTimeout  = 10 * time.Second
	choicesParallel = 16
)

// ChoicesRequest asks for the choices of a field.
type ChoicesRequest struct {
	Project, Plugin, Action string
	// Source is the name that the field gives in x-source.
	Source string
	// Form are the values of the action's form as they are now. The plugin gets those that
	// the source depends on, unless they hold an expression; Literal names fields whose
	// ${ is plain text.
	Form    json.RawMessage
	Literal []string
	Actor   engine.Actor
}

// Choices are the choices of a field. Exactly one of the two counts: a plugin that
// cannot say, or a system that does not answer, is no error of the request.
type Choices struct {
	Choices []contract.Choice `json:"choices"`
	Failure *contract.Failure `json:"failure,omitempty"`
}

// ChooserOptions are what a Chooser needs; all are required but Recorder, without which
// nothing is recorded.
type ChooserOptions struct {
	Catalogue ChooserCatalogue
	Projects  Projects
	Modules   Modules
	Gateway   Gateway
	Recorder  Recorder
	Clock     Clock
	Logger    *slog.Logger
}

// ChooserCatalogue finds the plugin that a form is of.
type ChooserCatalogue interface {
	Latest(plugin string) (plugins.Module, bool)
	Disabled(project, plugin string) bool
}

// Chooser asks plugins for the choices of form fields. Their calls may use only
// operations that change nothing. It is safe for concurrent use.
type Chooser struct {
	o      ChooserOptions
	places chan struct{}
}

// NewChooser makes a chooser.
func NewChooser(o ChooserOptions) *Chooser {
	return &Chooser{o: o, places: make(chan struct{}, choicesParallel)}
}

// Choices asks for the choices of one field. What is wrong with the request is a
// fault; what goes wrong in the plugin is in the answer.
func (c *Chooser) Choices(ctx context.Context, r ChoicesRequest) (Choices, error) {
	p, err := c.o.Projects.Get(ctx, r.Project)
	if err != nil {
		return Choices{}, err
	}
	m, action, source, err := c.find(r)
	if err != nil {
		return Choices{}, err
	}
	form, unknown, err := decisive(source, r.Form, r.Literal)
	switch {
	case err != nil:
		return Choices{}, err
	case unknown != "":
		return unavailable(&contract.Failure{
			Code: CodeNeedsRuntime, Origin: contract.OriginFlow,
			Message: "the choices depend on " + short(unknown, failureCodeMax) + ", whose value is known when the flow runs",
		}), nil
	}
	select {
	case c.places <- struct{}{}:
		defer func() { <-c.places }()
	case <-ctx.Done():
		return Choices{}, fault.New(fault.Stopping, "too many choices are being asked for").Because("CHOICES_BUSY")
	}
	input, err := json.Marshal(contract.Request{
		ABI: contract.ABI, Action: action.ID, Reason: contract.ReasonOptions, Inputs: json.RawMessage("{}"),
		Field: r.Source, Form: form,
		Context: contract.Context{Project: r.Project, Operator: r.Actor.ID, Zone: p.Zone},
	})
	if err != nil {
		return Choices{}, fault.Wrap("encode a request", err)
	}
	return c.call(ctx, r, m, action, input, form), nil
}

// choicesTime is how many milliseconds the action has for choices.
func choicesTime(a *contract.Action) int64 {
	most := choicesTimeout.Milliseconds()
	if a.TimeoutMS <= 0 {
		return most
	}
	return min(a.TimeoutMS, most)
}

// find looks the plugin, the action and the source up.
func (c *Chooser) find(r ChoicesRequest) (plugins.Module, *contract.Action, forms.Source, error) {
	none := forms.Source{}
	m, ok := c.o.Catalogue.Latest(r.Plugin)
	if !ok {
		return m, nil, none, fault.Missing("plugin", r.Plugin)
	}
	if c.o.Catalogue.Disabled(r.Project, r.Plugin) {
		return m, nil, none, fault.New(fault.WrongState, "plugin %s is switched off in this project", r.Plugin).Because("PLUGIN_OFF")
	}
	a, ok := m.Manifest.Action(r.Action)
	if !ok {
		return m, nil, none, fault.At("/action", "plugin %s has no action %.64q", r.Plugin, r.Action).Because("ACTION_UNKNOWN")
	}
	sources := forms.Sources(a.Inputs)
	i := slices.IndexFunc(sources, func(s forms.Source) bool { return s.Name == r.Source })
	if i < 0 || !a.Options {
		return m, nil, none, fault.At("/source", "no field of the action has choices from a source of that name").Because("SOURCE_UNKNOWN")
	}
	return m, a, sources[i], nil
}

// call makes the call and reads its answer.
func (c *Chooser) call(ctx context.Context, r ChoicesRequest, m plugins.Module, a *contract.Action, input []byte, form json.RawMessage) Choices {
	session := c.o.Gateway.Open(gateway.Caller{
		Project: r.Project, Reason: contract.ReasonOptions, Operator: r.Actor.ID, Plugin: r.Plugin, Digest: m.Digest,
	})
	notes := newNotes(c.o.Clock, DefaultNoteEvery, func([]contract.LogLine, *engine.Progress) {})
	defer notes.end() // nobody reads what a form's call logs
	call := ModuleCall{
		Plugin: r.Plugin, Digest: m.Digest, Export: contract.ExportOptions, Input: input,
		Limits:   contract.Limits{TimeoutMS: choicesTime(a)},
		Services: &services{session: session, notes: notes, inputs: json.RawMessage("{}")},
	}
	var recording *replay.Recording
	if c.o.Recorder != nil {
		call.RecordBytes, call.Recorded = c.o.Recorder.Bytes(), func(r *replay.Recording) { recording = r }
	}
	out, err := c.o.Modules.Call(ctx, call)
	got := c.read(ctx, r, out, err)
	if recording != nil {
		kept := recordings.Call{
			Place: recordings.Choices(r.Project, r.Plugin, r.Action, r.Source), Reason: contract.ReasonOptions,
			Plugin: r.Plugin, Action: r.Action, Form: a.Inputs, Inputs: form, Status: recordings.Succeeded, Recording: recording,
		}
		if got.Failure != nil {
			kept.Status, kept.Failure = recordings.Failed, got.Failure
		}
		c.o.Recorder.Keep(ctx, kept)
	}
	return got
}

// read makes choices of what a call came to.
func (c *Chooser) read(ctx context.Context, r ChoicesRequest, out []byte, err error) Choices {
	var f *contract.Failure
	switch {
	case errors.As(err, &f):
		return unavailable(f)
	case err != nil:
		c.o.Logger.ErrorContext(ctx, "asking for choices failed", "plugin", r.Plugin, "action", r.Action, "error", err)
		return unavailable(&contract.Failure{
			Code: CodeHostFault, Origin: contract.OriginHost, Retryable: true, Message: "the plugin could not be called",
		})
	}
	return readChoices(out)
}

func unavailable(f *contract.Failure) Choices {
	own := *f
	own.Message = short(own.Message, failureMessageMax)
	return Choices{Choices: []contract.Choice{}, Failure: &own}
}

// readChoices reads what a module answered.
func readChoices(out []byte) Choices {
	a, f := decodeAnswer(out)
	if f != nil {
		return unavailable(f)
	}
	switch a.Status {
	case contract.StatusSucceeded:
	case contract.StatusFailed:
		if a.Failure == nil || a.Failure.Code == "" {
			return unavailable(badAnswer("the plugin failed without saying why"))
		}
		return unavailable(a.Failure)
	default:
		return unavailable(badAnswer("a plugin cannot wait while a form is filled in"))
	}
	var outputs struct {
		Choices []contract.Choice `json:"choices"`
	}
	d := json.NewDecoder(bytes.NewReader(a.Outputs))
	d.DisallowUnknownFields()
	if err := d.Decode(&outputs); err != nil {
		return unavailable(badAnswer("the plugin's outputs are no choices"))
	}
	t := tidier{seen: map[string]bool{}}
	choices, ok := t.tidy(outputs.Choices, 0)
	switch {
	case t.count > ChoicesMax:
		return unavailable(&contract.Failure{
			Code: CodeOutputInvalid, Origin: contract.OriginLimit, Message: "the plugin offers more choices than a form can show",
		})
	case !ok:
		return unavailable(badAnswer("a choice has no value, or choices lie too deep below each other"))
	}
	return Choices{Choices: choices}
}

// tidier makes choices fit to be shown: each value once, each with a label.
type tidier struct {
	seen  map[string]bool
	count int
}

func (t *tidier) tidy(in []contract.Choice, depth int) ([]contract.Choice, bool) {
	if depth > choiceDepthMax {
		return nil, false
	}
	out := make([]contract.Choice, 0, len(in))
	for _, c := range in {
		t.count++
		if t.count > ChoicesMax {
			return out, true
		}
		var value bytes.Buffer
		if len(c.Value) == 0 || json.Compact(&value, c.Value) != nil {
			return nil, false
		}
		c.Value = value.Bytes()
		if t.seen[value.String()] {
			continue
		}
		t.seen[value.String()] = true
		if c.Label == "" {
			c.Label = strings.Trim(value.String(), `"`)
		}
		c.Label = short(c.Label, choiceLabelMax)
		children, ok := t.tidy(c.Children, depth+1)
		if !ok {
			return nil, false
		}
		c.Children = children
		if len(children) == 0 {
			c.Children = nil
		}
		out = append(out, c)
	}
	return out, true
}

// decisive returns the values of the fields that a source depends on, or the name of
// one that holds an expression. The others are nothing to the plugin: what they say
// could not make the form ask again.
func decisive(s forms.Source, form json.RawMessage, literal []string) (json.RawMessage, string, error) {
	if len(form) > choicesFormMax {
		return nil, "", fault.At("/form", "a form has %d bytes at most", choicesFormMax).Because("TOO_MANY_BYTES")
	}
	values := map[string]json.RawMessage{}
	if len(form) > 0 {
		if err := json.Unmarshal(form, &values); err != nil {
			return nil, "", fault.At("/form", "must be an object").Because("OBJECT")
		}
	}
	given := map[string]json.RawMessage{}
	for _, name := range s.DependsOn {
		raw, ok := values[name]
		if !ok {
			continue
		}
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			return nil, "", fault.At("/form", "must be an object").Because("OBJECT")
		}
		if !slices.Contains(literal, name) && holdsExpression(v) {
			return nil, name, nil
		}
		given[name] = raw
	}
	out, err := json.Marshal(given)
	if err != nil {
		return nil, "", fault.Wrap("encode a form", err)
	}
	return out, "", nil
}

// holdsExpression reports whether a text anywhere in a value holds ${ that is not
// written $${.
func holdsExpression(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.Contains(strings.ReplaceAll(v, "$${", ""), "${")
	case []any:
		return slices.ContainsFunc(v, holdsExpression)
	case map[string]any:
		for _, child := range v {
			if holdsExpression(child) {
				return true
			}
		}
	}
	return false
}
