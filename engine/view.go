package engine

import (
	"encoding/json"
	"math/bits"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

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
	// Parent is set for the run of an independent subflow node.
	Parent *Parent `json:"parent,omitempty"`
	// Deadline is when the run fails if it has not ended.
	Deadline *time.Time `json:"deadline,omitempty"`
	// Rollback is the one that is under way.
	Rollback *RollbackView `json:"rollback,omitempty"`
	// Nodes are those that were reached, by path: "deploy.check" is the node check
	// inside the inline subflow deploy.
	Nodes map[string]NodeView `json:"nodes"`
	// Taken lists the ids of the edges that were taken.
	Taken []string `json:"taken,omitempty"`
}

// RollbackView is a rollback under way.
type RollbackView struct {
	Mode RollbackMode `json:"mode"`
	From string       `json:"from"`
	To   string       `json:"to"`
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
	// Held is set when the next token stops before the node.
	Held bool `json:"held,omitempty"`
	// By is what made the state, when an operator or an option of the node did.
	By string `json:"by,omitempty"`
	// Deadline is when the attempt times out.
	Deadline *time.Time `json:"deadline,omitempty"`
	// Repeat is the ordinal of the iteration in a Repeat, from 1.
	Repeat int `json:"repeat,omitempty"`
	// Child is the run for which an independent subflow waits or has waited.
	Child string `json:"child,omitempty"`
}

// View returns what the outside sees of the run. It shares no memory with the state
// that a later step changes. Variables marked secret are left out.
func (s *State) View() RunView {
	v := RunView{
		Run: s.info.Run, Name: s.info.Name, Project: s.info.Project, Flow: s.info.Flow, Version: s.info.Version,
		State: s.state, Seq: s.seq, Operator: s.info.Operator, CreatedAt: s.createdAt, EndedAt: optional(s.endedAt),
		Outputs: s.outputs, Parent: s.info.Parent, Deadline: s.info.Deadline, Nodes: map[string]NodeView{},
	}
	if u := s.rollback; u != nil {
		v.Rollback = &RollbackView{Mode: u.mode, From: s.g.nodes[u.from].id, To: s.g.nodes[u.to].id}
	}
	for i, value := range s.vars[:len(s.g.scopes[0].doc.vars)] { // those of scopes within are their own
		if value == nil || s.g.vars[i].Secret {
			continue
		}
		if v.Variables == nil {
			v.Variables = map[string]json.RawMessage{}
		}
		v.Variables[s.g.vars[i].Name] = value
	}
	for i, n := range s.nodes {
		if n != nil && (n.state != NodeIdle || n.held) {
			shown := n.view()
			if s.state.Ended() {
				shown.Due = nil // nothing comes any more
			}
			v.Nodes[s.g.nodes[i].id] = shown
		}
	}
	for w, word := range s.taken {
		for ; word != 0; word &= word - 1 {
			v.Taken = append(v.Taken, s.g.edges[w*64+bits.TrailingZeros64(word)].id)
		}
	}
	return v
}

func (n *nodeRun) view() NodeView {
	return NodeView{
		State: n.state, Iteration: n.iteration, Attempt: n.attempt, StartedAt: optional(n.startedAt),
		EndedAt: optional(n.endedAt), Wait: n.wait, Due: optional(n.due), Failure: n.failure, Progress: n.progress,
		By: n.by, Deadline: optional(n.deadline), Repeat: n.repeat, Held: n.held, Child: n.child,
	}
}

func optional(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}
