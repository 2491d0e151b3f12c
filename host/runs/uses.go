package runs

import (
	"context"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/pdk/contract"
)

// The bounds of what is said about the runs that use a plugin.
const (
	// UsesMax bounds how many runs are named.
	UsesMax = 100
	// usesLookedAt bounds how many runs that have not ended are looked at, the newest
	// first.
	usesLookedAt = 2000
	usesPage     = 200
)

// Uses is where a plugin is used in a project.
type Uses struct {
	// Flows are those with tasks of the plugin, MoreFlows says that there are others.
	Flows     []flows.User `json:"flows"`
	MoreFlows bool         `json:"more_flows"`
	// Runs are those that have not ended and pinned the plugin, the newest first, at
	// most UsesMax; Live counts all of them, by the digest that they pinned.
	Runs []Use          `json:"runs"`
	Live map[string]int `json:"live"`
	// MoreRuns says that there are runs that were not looked at.
	MoreRuns bool `json:"more_runs"`
}

// Use is a run that has not ended and pinned a plugin.
type Use struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Flow      string          `json:"flow"`
	FlowName  contract.Text   `json:"flow_name"`
	Version   int             `json:"version"`
	State     engine.RunState `json:"state"`
	CreatedAt time.Time       `json:"created_at"`
	// Digest is that of the module which the run pinned.
	Digest string `json:"digest"`
}

// Uses returns where a plugin is used in a project; one that there is not is used
// nowhere.
func (s *Service) Uses(ctx context.Context, project, plugin string) (Uses, error) {
	out := Uses{Runs: []Use{}, Live: map[string]int{}}
	var err error
	if out.Flows, out.MoreFlows, err = s.o.Flows.Users(ctx, project, plugin); err != nil {
		return Uses{}, err
	}
	before := ""
	for looked := 0; ; looked += usesPage {
		if looked >= usesLookedAt {
			out.MoreRuns = true
			return out, nil
		}
		heads, err := s.o.Runner.List(ctx, runner.RunQuery{
			Project: project, Before: before, Limit: usesPage,
			States: []engine.RunState{engine.RunCreated, engine.RunRunning, engine.RunSuspended, engine.RunBlocked},
		})
		if err != nil {
			return Uses{}, refusal("list runs", "", err)
		}
		for i := range heads {
			if err := s.addUse(ctx, &out, heads[i], plugin); err != nil {
				return Uses{}, err
			}
		}
		if len(heads) < usesPage {
			return out, nil
		}
		before = heads[len(heads)-1].ID
	}
}

// addUse adds a run if it pinned the plugin: its first record says so.
func (s *Service) addUse(ctx context.Context, out *Uses, h runner.RunHead, plugin string) error {
	rs, err := s.o.Runner.Records(ctx, h.ID, 0, 1)
	if err != nil {
		return refusal("read records", h.ID, err)
	}
	if len(rs) == 0 {
		return nil
	}
	started, ok := rs[0].Data.(engine.RunStarted)
	if !ok || started.Plugins[plugin] == "" {
		return nil
	}
	digest := started.Plugins[plugin]
	if out.Live[digest]++; len(out.Runs) == UsesMax {
		return nil
	}
	name, err := s.flowName(ctx, h)
	if err != nil {
		return err
	}
	out.Runs = append(out.Runs, Use{
		ID: h.ID, Name: h.Name, Flow: h.Flow, FlowName: name, Version: h.Version, State: h.State,
		CreatedAt: h.CreatedAt, Digest: digest,
	})
	return nil
}
