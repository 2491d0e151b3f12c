package flows

import (
	"context"
	"slices"

	"github.com/culmhq/culm/pdk/contract"
)

// OperationUser is a flow that names an operation of a system: in a task, or as a place where a
// secret may be sent.
type OperationUser struct {
	Flow string        `json:"flow"`
	Name contract.Text `json:"name"`
	// Draft says that the draft does, Published that the latest version does.
	Draft     bool `json:"draft"`
	Published bool `json:"published"`
	// Nodes are the ids of the tasks, in order; those of subflows that a document holds among
	// them.
	Nodes []string `json:"nodes"`
}

// OperationUsers are the flows that name an operation.
type OperationUsers struct {
	Flows []OperationUser `json:"flows"`
	// More says that there are others.
	More bool `json:"more"`
}

// OperationUsage is one place in one document of a flow that names an operation.
type OperationUsage struct {
	Flow string
	Name contract.Text
	// Draft is false for the latest version.
	Draft bool
	// Node is the task, "" where a variable names the operation.
	Node string
}

// OperationUsers returns the flows of a project whose draft or latest version names an
// operation, by id, at most UsersMax. One that is named only by an expression, or by a plugin
// itself, is not found: the grants tell of the latter.
func (s *Service) OperationUsers(ctx context.Context, project, system, operation string) (OperationUsers, error) {
	out := OperationUsers{Flows: []OperationUser{}}
	if err := s.o.Projects.Exists(ctx, project); err != nil {
		return out, err
	}
	usages, err := s.o.Users.OperationUsages(ctx, project, system, operation, UsersMax+1)
	if err != nil {
		return out, err
	}
	for _, u := range usages {
		if n := len(out.Flows); n == 0 || out.Flows[n-1].Flow != u.Flow {
			if n == UsersMax {
				out.More = true
				break
			}
			out.Flows = append(out.Flows, OperationUser{Flow: u.Flow, Name: u.Name, Nodes: []string{}})
		}
		last := &out.Flows[len(out.Flows)-1]
		last.Draft = last.Draft || u.Draft
		last.Published = last.Published || !u.Draft
		if u.Node != "" && !slices.Contains(last.Nodes, u.Node) {
			last.Nodes = append(last.Nodes, u.Node)
		}
	}
	for i := range out.Flows {
		slices.Sort(out.Flows[i].Nodes)
	}
	return out, nil
}
