package flows

import (
	"context"
	"slices"

	"github.com/culmhq/culm/pdk/contract"
)

// The bounds of what is said about the users of a plugin.
const (
	// UsersMax bounds how many flows are named.
	UsersMax = 200
	// UsedVersionsMax is how many of the newest versions of each flow are looked at:
	// documents are read for it.
	UsedVersionsMax = 20
)

// User is a flow with tasks that run actions of a plugin.
type User struct {
	Flow string        `json:"flow"`
	Name contract.Text `json:"name"`
	// Draft says that the draft does; Versions are the published versions that do, the
	// newest first, of the UsedVersionsMax newest ones.
	Draft    bool  `json:"draft"`
	Versions []int `json:"versions"`
	// Latest is the number of the latest version, 0 without any.
	Latest int `json:"latest"`
	// Actions are the ids of the actions, in order.
	Actions []string `json:"actions"`
}

// Usage is one action in one document of a flow.
type Usage struct {
	Flow   string
	Name   contract.Text
	Latest int
	// Number is that of the version, 0 for the draft.
	Number int
	Action string
}

// Users keeps which documents use which plugins and operations.
type Users interface {
	// OperationUsages returns every place of the drafts and of the latest versions of the flows
	// of a project that names an operation as text, by flow. It looks at as many flows as are
	// asked for at most.
	OperationUsages(ctx context.Context, project, system, operation string, flows int) ([]OperationUsage, error)
	// PluginUsages returns every action of a plugin in each draft and in each of the
	// newest versions of the flows of a project, by flow. It looks at as many flows as
	// are asked for at most, and at as many versions of each.
	PluginUsages(ctx context.Context, project, plugin string, flows, versions int) ([]Usage, error)
}

// Users returns the flows of a project that use a plugin, by id, at most UsersMax, and
// whether there are more. A flow that only contains such a flow is not among them.
func (s *Service) Users(ctx context.Context, project, plugin string) ([]User, bool, error) {
	if err := s.o.Projects.Exists(ctx, project); err != nil {
		return nil, false, err
	}
	usages, err := s.o.Users.PluginUsages(ctx, project, plugin, UsersMax+1, UsedVersionsMax)
	if err != nil {
		return nil, false, err
	}
	out := []User{}
	for _, u := range usages {
		if len(out) == 0 || out[len(out)-1].Flow != u.Flow {
			out = append(out, User{Flow: u.Flow, Name: u.Name, Latest: u.Latest, Versions: []int{}, Actions: []string{}})
		}
		last := &out[len(out)-1]
		if u.Number == 0 {
			last.Draft = true
		} else if !slices.Contains(last.Versions, u.Number) {
			last.Versions = append(last.Versions, u.Number)
		}
		if !slices.Contains(last.Actions, u.Action) {
			last.Actions = append(last.Actions, u.Action)
		}
	}
	for i := range out {
		slices.Sort(out[i].Versions)
		slices.Reverse(out[i].Versions)
		slices.Sort(out[i].Actions)
	}
	if len(out) > UsersMax {
		return out[:UsersMax], true, nil
	}
	return out, false, nil
}
