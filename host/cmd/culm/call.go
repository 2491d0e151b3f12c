package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/host/client"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/tryout"
)

// callOptions are the flags of the command.
type callOptions struct {
	project, body string
	params        []string
	asJSON, yes   bool
}

func (p *program) callCommand() *cobra.Command {
	var o callOptions
	c := &cobra.Command{
		Use:   "call SYSTEM OPERATION",
		Short: "Call an operation of a registered system, to see whether it works",
		Long: "Call an operation of a system of a running server, in your own name: through the gateway, with\n" +
			"the system's credential, and audited. No plugin and no grant is needed.\n\n" +
			"A parameter NAME=TEXT is a text, NAME:=JSON any other value. The body is read from a file,\n" +
			"or from standard input with --body -. An operation that may destroy something asks for --yes.\n\n" +
			"The system's answer goes to standard output; the rest to standard error.\n\n" +
			"Exit codes: 0 answered with a status below 400, 1 answered with another status or failed,\n" +
			"2 the input was refused.",
		Example: "  culm call cmdb search_hosts -p biz=sops -p limit:=20\n  culm call ticket create_ticket --body ticket.json --json",
		Args:    cobra.ExactArgs(2),
	}
	connect := p.projectFlags(c, &o.project)
	c.Flags().StringArrayVarP(&o.params, "param", "p", nil, "a parameter: NAME=TEXT or NAME:=JSON; may be repeated")
	c.Flags().StringVar(&o.body, "body", "", "a file with the JSON body, - for standard input")
	c.Flags().BoolVar(&o.yes, "yes", false, "confirm an operation that may destroy something")
	c.Flags().BoolVar(&o.asJSON, "json", false, "print the whole answer as JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		cl, err := connect(c.Context())
		if err != nil {
			return err
		}
		r := client.CallRequest{Project: o.project, System: args[0], Operation: args[1], Confirm: o.yes}
		if r.Params, err = paramsOf(o.params); err != nil {
			return err
		}
		if r.Body, err = p.callBody(o.body); err != nil {
			return err
		}
		a, err := cl.Call(c.Context(), r)
		if err != nil {
			return err
		}
		return p.showCall(a, o.asJSON)
	}
	return c
}

// paramsOf reads NAME=TEXT and NAME:=JSON.
func paramsOf(given []string) (map[string]json.RawMessage, error) {
	out := map[string]json.RawMessage{}
	for _, g := range given {
		name, value, ok := strings.Cut(g, "=")
		raw := json.RawMessage(value)
		if typed, isJSON := strings.CutSuffix(name, ":"); isJSON {
			name = typed
			ok = ok && json.Valid(raw)
		} else {
			raw, _ = json.Marshal(value) // a text always encodes
		}
		if !ok || name == "" {
			return nil, sayAs(fault.Invalid, "%q is not NAME=TEXT or NAME:=JSON", g)
		}
		if _, twice := out[name]; twice {
			return nil, sayAs(fault.Invalid, "the parameter %q is given twice", name)
		}
		out[name] = raw
	}
	return out, nil
}

func (p *program) callBody(file string) (json.RawMessage, error) {
	if file == "" {
		return nil, nil
	}
	content, err := p.read(file)
	if err != nil {
		return nil, err
	}
	if !json.Valid(content) {
		return nil, sayAs(fault.Invalid, "the body is not JSON")
	}
	return content, nil
}

// callStatusFailed is the first HTTP status of a call that did not succeed.
const callStatusFailed = 400

// showCall prints how a call ended.
func (p *program) showCall(a tryout.Answer, asJSON bool) error {
	over := a.Failure != nil || a.Status >= callStatusFailed
	if asJSON {
		if err := p.json(a); err != nil {
			return err
		}
	} else if err := p.printCall(a); err != nil {
		return err
	}
	if over {
		return &exitError{code: exitFailed}
	}
	return nil
}

func (p *program) printCall(a tryout.Answer) error {
	if f := a.Failure; f != nil {
		fmt.Fprintln(p.err, clean(p.text.failureText(f)))
		for _, l := range p.text.failureHelp(f) {
			fmt.Fprintf(p.err, "  %s\n", l)
		}
		return nil
	}
	fmt.Fprintf(p.err, "HTTP %d · %s · %s · %d ms\n", a.Status,
		clean(fmt.Sprintf(p.text.of("request"), a.RequestID)), fmt.Sprintf(p.text.of("sent"), a.Attempts), a.DurationMS)
	for _, name := range slices.Sorted(maps.Keys(a.Headers)) {
		fmt.Fprintf(p.err, "%s: %s\n", clean(name), clean(a.Headers[name]))
	}
	if a.Body == nil {
		if a.Text == "" {
			return nil
		}
		_, err := fmt.Fprintln(p.out, clean(a.Text))
		return failed(err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, a.Body, "", "  "); err != nil {
		return failed(err)
	}
	shown := b.String()
	if terminal(p.out) { // a system must not steer the terminal; a file gets the answer as it is
		lines := strings.Split(shown, "\n")
		for i := range lines {
			lines[i] = clean(lines[i])
		}
		shown = strings.Join(lines, "\n")
	}
	_, err := fmt.Fprintln(p.out, shown)
	return failed(err)
}
