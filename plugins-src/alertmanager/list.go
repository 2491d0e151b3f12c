package main

import (
	"slices"
	"time"

	"github.com/culmhq/culm/pdk"
)

// ListIn lists silences.
type ListIn struct {
	// Only silences with these matchers, for example alertname="Down".
	Filter []string `json:"filter,omitempty" title:"Matchers" jsonschema:"maxItems=64" ui:"widget=tags"`
	// Only silences in these states. Alertmanager keeps expired ones for days.
	States []string `json:"states,omitempty" choices:"active:Active|pending:Pending|expired:Expired" ui:"widget=checkboxes"`
}

// ListOut holds the silences.
type ListOut struct {
	// How many there are.
	Count int `json:"count"`
	// Their ids.
	IDs []string `json:"ids" title:"Ids"`
	// The silences, the one that ends last first.
	Silences []Silence `json:"silences"`
}

// Silence is a silence of Alertmanager.
type Silence struct {
	// The id of the silence.
	ID string `json:"id"`
	// Active, pending or expired.
	State string `json:"state"`
	// The matchers, as Alertmanager writes them.
	Matchers []string `json:"matchers"`
	// When it begins.
	StartsAt time.Time `json:"starts_at" title:"Start"`
	// When it ends.
	EndsAt time.Time `json:"ends_at" title:"End"`
	// Who made it.
	CreatedBy string `json:"created_by" title:"Author"`
	// Why.
	Comment string `json:"comment"`
}

func list(c *pdk.Ctx, in ListIn) (ListOut, error) {
	params := pdk.Params{}
	if len(in.Filter) > 0 {
		params["filter"] = in.Filter
	}
	var all []silence
	if err := c.Gateway(system, "list_silences", params, nil, &all); err != nil {
		return ListOut{}, err
	}
	slices.SortStableFunc(all, func(a, b silence) int { return b.EndsAt.Compare(a.EndsAt) })
	var out ListOut
	for _, s := range all {
		if len(in.States) > 0 && !slices.Contains(in.States, s.state()) {
			continue
		}
		shown := Silence{
			ID: s.ID, State: s.state(), StartsAt: s.StartsAt, EndsAt: s.EndsAt,
			CreatedBy: s.CreatedBy, Comment: s.Comment,
		}
		for _, m := range s.Matchers {
			shown.Matchers = append(shown.Matchers, m.text())
		}
		out.IDs = append(out.IDs, s.ID)
		out.Silences = append(out.Silences, shown)
	}
	out.Count = len(out.IDs)
	return out, nil
}
