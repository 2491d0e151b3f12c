package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/culmhq/culm/host/systems"
)

// project is the one that a first start makes.
const project = "/api/v1/projects/default"

func runPath(run string) string { return project + "/runs/" + run }

// connect registers a shipped system at another address, and grants every shipped
// plugin what it asks of it.
func (s *server) connect(t *testing.T, id, base string) {
	t.Helper()
	shipped, err := systems.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range shipped {
		if d.ID == id {
			d.BaseURL = base
			s.must(http.MethodPut, project+"/systems/"+id, d, nil)
		}
	}
	var catalogue struct {
		Items []struct {
			ID       string
			Manifest struct{ Needs []need }
			Grants   []need
		}
	}
	s.must(http.MethodGet, project+"/plugins", nil, &catalogue)
	for _, p := range catalogue.Items {
		grants := p.Grants
		for _, n := range p.Manifest.Needs {
			if n.System == id {
				grants = append(grants, n)
			}
		}
		if len(grants) > len(p.Grants) {
			s.must(http.MethodPut, project+"/plugins/"+p.ID+"/grants", map[string]any{"grants": distinct(grants)}, nil)
		}
	}
}

type need struct {
	System    string `json:"system"`
	Operation string `json:"operation"`
}

func distinct(gs []need) []need {
	seen := map[need]bool{}
	var out []need
	for _, g := range gs {
		if !seen[g] {
			seen[g] = true
			out = append(out, g)
		}
	}
	return out
}

// publish stores a flow document and publishes it, unless it is there.
func (s *server) publish(t *testing.T, id string, document any) {
	t.Helper()
	status, err := s.call(http.MethodGet, project+"/flows/"+id, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Revision int
		Problems []problem
	}
	if status == http.StatusNotFound {
		s.must(http.MethodPost, project+"/flows", map[string]any{"document": document}, &f)
	} else {
		s.must(http.MethodGet, project+"/flows/"+id, nil, &f)
	}
	if len(f.Problems) > 0 {
		t.Fatalf("%s has problems: %+v", id, f.Problems)
	}
	s.must(http.MethodPost, project+"/flows/"+id+"/versions", map[string]any{"revision": f.Revision}, nil)
}

// startFlow publishes a flow and starts a run of it.
func (s *server) startFlow(t *testing.T, id string, document any, inputs map[string]any) string {
	t.Helper()
	s.publish(t, id, document)
	var run struct{ ID string }
	if inputs == nil {
		inputs = map[string]any{}
	}
	s.must(http.MethodPost, project+"/flows/"+id+"/runs", map[string]any{"inputs": inputs}, &run)
	return run.ID
}

func (s *server) view(t *testing.T, run string) runView {
	t.Helper()
	var v runView
	s.must(http.MethodGet, runPath(run), nil, &v)
	return v
}

func (s *server) command(t *testing.T, run, node string, body map[string]any) {
	t.Helper()
	s.must(http.MethodPost, runPath(run)+"/nodes/"+node+"/commands", body, nil)
}

// awaitState waits until the run is in a state, and fails at once when it is blocked.
func (s *server) awaitState(t *testing.T, run, state string) {
	t.Helper()
	await(t, "run is "+state, 2*time.Minute, func() bool {
		v := s.view(t, run)
		if v.State == "blocked" && state != "blocked" {
			t.Fatalf("the run is blocked: %+v", v)
		}
		return v.State == state
	})
}

// awaitHuman waits until a node asks a person, and returns it.
func (s *server) awaitHuman(t *testing.T, run string) string {
	t.Helper()
	var found string
	await(t, "a node asks a person", 2*time.Minute, func() bool {
		v := s.view(t, run)
		if v.State == "blocked" {
			t.Fatalf("the run is blocked: %+v\n%s", v, s.logs)
		}
		for id, n := range v.Nodes {
			if n.State == "waiting" && n.Wait != nil && n.Wait.Kind == "human" {
				found = id
			}
		}
		return found != ""
	})
	return found
}
