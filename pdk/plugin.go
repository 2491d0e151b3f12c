package pdk

import (
	"fmt"
	"reflect"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// Text is a human text in the languages of the product; English is required, the
// others come from the plugin's locale files.
type Text = contract.Text

// Need is an operation of a system that a plugin wants to call.
type Need = contract.Need

// Choice is one entry of the answer of an Options function.
type Choice = contract.Choice

// Plugin is what a module is and what it offers. Its fields are those of
// contract.Manifest; the schemas of the actions are reflected from their types.
type Plugin struct {
	ID      string
	Version string
	Title   Text
	Doc     Text
	Icon    string
	Actions []Actor
	// Needs lists every operation that the actions call. A call of any other is
	// refused by the host, and by pdktest.
	Needs  []Need
	Limits *contract.Limits
}

// Actor is an action of any types: an Action. Only this package implements it.
type Actor interface {
	describe() Description
	call(c *Ctx) contract.Answer
	warm()
}

// Description is what a manifest says about an action, with the types that its
// schemas are reflected from.
type Description struct {
	contract.Action
	In, Out reflect.Type
	// Defaults is a value of type In, or nil.
	Defaults any
}

// Register makes a plugin known to the module that it is compiled into, and returns
// it. It is called once, in the package variable of a package main; outside a
// module it does nothing but return.
func Register(p Plugin) *Plugin {
	register(&p)
	return &p
}

// Main is the whole body of a plugin's main function. In a module it does nothing,
// because a module has no main. As a native program it runs the author's commands:
//
//	go run . manifest    print the manifest as JSON
func (p *Plugin) Main() { p.main() }

// Descriptions returns what the plugin says about its actions, in their order.
func (p *Plugin) Descriptions() []Description {
	ds := make([]Description, len(p.Actions))
	for i, a := range p.Actions {
		ds[i] = a.describe()
	}
	return ds
}

func (p *Plugin) action(id string) (Actor, error) {
	for _, a := range p.Actions {
		if a.describe().ID == id {
			return a, nil
		}
	}
	return nil, fmt.Errorf("plugin %s has no action %q", p.ID, id)
}

// Action is one kind of task node: a function from In to Out. In and Out are structs,
// or maps with string keys where the names are not known beforehand. Execute is
// required; a nil function means that the action does not offer that call.
type Action[In, Out any] struct {
	ID    string
	Title Text
	// Doc is the help text; empty takes the doc comment of In.
	Doc  Text
	Icon string
	// Timeout bounds the wall time of one call; zero takes the host's default.
	Timeout time.Duration
	// Waits lists the kinds of waiting that the functions answer with. Any other
	// is refused.
	Waits []contract.WaitKind
	// Defaults holds the values of inputs that a call leaves out; zero fields
	// have no default.
	Defaults In

	// Execute does the work, or starts it and says what to wait for.
	Execute func(*Ctx, In) (Out, error)
	// Resume goes on after a wait; Ctx.State holds what the wait carried.
	Resume func(*Ctx, In) (Out, error)
	// Cancel stops what Execute started: the run was revoked.
	Cancel func(*Ctx, In) error
	// Rollback undoes what the attempt with these outputs did.
	Rollback func(*Ctx, In, Out) error
	// Options answers the choices of the form fields that name a source in their x tag
	// (x:"source=hosts;depends=service"), given the fields that it depends on; all others,
	// and those that are not filled in yet, are zero.
	Options func(c *Ctx, source string, form In) ([]Choice, error)
}

func (a Action[In, Out]) describe() Description {
	d := Description{
		Action: contract.Action{
			ID: a.ID, Title: a.Title, Doc: a.Doc, Icon: a.Icon, Waits: a.Waits,
			Cancel: a.Cancel != nil, Rollback: a.Rollback != nil, Options: a.Options != nil,
			TimeoutMS: a.Timeout.Milliseconds(),
		},
		In: reflect.TypeFor[In](), Out: reflect.TypeFor[Out](),
	}
	if !reflect.ValueOf(&a.Defaults).Elem().IsZero() {
		d.Defaults = a.Defaults
	}
	return d
}
