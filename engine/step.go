package engine

import (
	"encoding/json"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// Graph is a flow document that has been checked and made ready to run. It is
// immutable and safe for concurrent use; runs of one version share it.
type Graph struct{}

// Catalogue tells Compile about the actions that a flow uses.
type Catalogue interface {
	// Action returns an action's declaration, or false.
	Action(plugin, action string) (contract.Action, bool)
}

// Compile checks a document and makes a graph from it. It reports every problem at
// once; the graph is nil when one of them is an error. It takes time linear in the
// size of the document.
func Compile(f *Flow, c Catalogue) (*Graph, []Problem) { panic("contract only") }

// State is a run at one moment. It belongs to one goroutine.
type State struct{}

// StartOptions is what a new run is made from.
type StartOptions struct {
	Run, Name, Project, Flow string
	Version                  int
	Digest                   string
	Plugins                  map[string]string
	Env                      map[string]json.RawMessage
	Zone                     string
	// Inputs are the values of input variables, by name.
	Inputs map[string]json.RawMessage
}

// Start makes a run and enters its start node. An *Error with Field names an input
// that is missing, unknown or not valid against its schema.
func Start(g *Graph, m Meta, o StartOptions) (*State, []Record, []Command, error) {
	panic("contract only")
}

// Step applies one event. It changes s, and returns the records to make durable and
// then the commands to perform, in order. An error is an *Error and leaves s as it
// was. A result or timer that is late gives a record and no error.
func Step(g *Graph, s *State, m Meta, e Event) ([]Record, []Command, error) { panic("contract only") }

// Replay folds records into the state they describe; it never evaluates anything.
func Replay(g *Graph, rs []Record) (*State, error) { panic("contract only") }

// Outstanding returns the commands that a driver must perform after a restart: those
// whose end is not in the records. Dispatches are marked Recovered.
func Outstanding(g *Graph, s *State) []Command { panic("contract only") }

// CheckHistory verifies the invariants of a history: it is the judge in every test.
func CheckHistory(g *Graph, rs []Record) error { panic("contract only") }

// RunView is what the outside sees of a run.
type RunView struct {
	Run       string                     `json:"id"`
	Name      string                     `json:"name"`
	Project   string                     `json:"project"`
	Flow      string                     `json:"flow"`
	Version   int                        `json:"version"`
	State     RunState                   `json:"state"`
	Seq       uint64                     `json:"seq"`
	Operator  string                     `json:"operator"`
	CreatedAt time.Time                  `json:"created_at"`
	EndedAt   *time.Time                 `json:"ended_at,omitempty"`
	Variables map[string]json.RawMessage `json:"variables,omitempty"`
	Outputs   map[string]json.RawMessage `json:"outputs,omitempty"`
	Nodes     map[string]NodeView        `json:"nodes"`
	// Taken lists the ids of the edges that were taken.
	Taken []string `json:"taken,omitempty"`
}

// NodeView is what the outside sees of a node that was reached.
type NodeView struct {
	State     NodeState         `json:"state"`
	Iteration int               `json:"iteration,omitempty"`
	Attempt   int               `json:"attempt"`
	StartedAt *time.Time        `json:"started_at,omitempty"`
	EndedAt   *time.Time        `json:"ended_at,omitempty"`
	Wait      *contract.Wait    `json:"wait,omitempty"`
	Due       *time.Time        `json:"due,omitempty"`
	Failure   *contract.Failure `json:"failure,omitempty"`
	Progress  *Progress         `json:"progress,omitempty"`
}

// View returns what the outside sees of the run.
func (s *State) View() RunView { panic("contract only") }
