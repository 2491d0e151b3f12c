package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
)

func testSearch(t *testing.T, s runner.Store) {
	for i, name := range []string{"Nightly backup", "发布 ORDER", "backup of 100%", "Ünder"} {
		b := first(runID(i), 2)
		b.New.Name, b.New.CreatedAt = name, epoch().Add(time.Duration(i)*time.Hour)
		if i == 1 {
			b.New.Flow, b.New.Operator = "release", "li"
		}
		commit(t, s, b)
	}
	commit(t, s, last(runID(0), 3, 3, engine.RunFailed))
	commit(t, s, last(runID(2), 3, 3, engine.RunSucceeded))
	hour := func(n int) time.Time { return epoch().Add(time.Duration(n) * time.Hour) }
	all := []string{runID(3), runID(2), runID(1), runID(0)}
	for name, c := range map[string]struct {
		q    runner.RunQuery
		want []string
	}{
		"text in a name":           {runner.RunQuery{Text: "BACKUP"}, []string{runID(2), runID(0)}},
		"text in a flow":           {runner.RunQuery{Text: "eleas"}, []string{runID(1)}},
		"text in an id":            {runner.RunQuery{Text: strings.ToUpper(runID(3))}, []string{runID(3)}},
		"text that is no pattern":  {runner.RunQuery{Text: "0%"}, []string{runID(2)}},
		"other letters as written": {runner.RunQuery{Text: "ünder"}, nil},
		"Chinese":                  {runner.RunQuery{Text: "发布 o"}, []string{runID(1)}},
		"operator":                 {runner.RunQuery{Operator: "li"}, []string{runID(1)}},
		"from counts":              {runner.RunQuery{From: hour(2)}, all[:2]},
		"to does not":              {runner.RunQuery{From: hour(1), To: hour(2)}, []string{runID(1)}},
		"oldest first":             {runner.RunQuery{Oldest: true, Limit: 3}, []string{runID(0), runID(1), runID(2)}},
		"oldest first, further":    {runner.RunQuery{Oldest: true, Before: runID(1)}, []string{runID(2), runID(3)}},
		"live ones":                {runner.RunQuery{States: []engine.RunState{engine.RunRunning, engine.RunBlocked}}, []string{runID(3), runID(1)}},
		"failed ones":              {runner.RunQuery{States: []engine.RunState{engine.RunFailed}, Project: "p"}, []string{runID(0)}},
		"ended ones":               {runner.RunQuery{States: []engine.RunState{engine.RunFailed, engine.RunSucceeded}}, []string{runID(2), runID(0)}},
	} {
		hs, err := s.List(t.Context(), c.q)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got []string
		for i := range hs {
			got = append(got, hs[i].ID)
		}
		if strings.Join(got, " ") != strings.Join(c.want, " ") {
			t.Errorf("%s: %v; want %v", name, got, c.want)
		}
	}
}
