// Package hosttest opens the product's stores and use cases over a temporary SQLite
// file, for tests.
package hosttest

import (
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/projects"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/store"
	"github.com/culmhq/culm/pdk/contract"
)

// Project is the project that every Product has.
const Project = "demo"

// Actor is who acts in tests.
const Actor = "tester"

// Product is the store with the use cases over it.
type Product struct {
	DB       *sqlite.DB
	Store    *store.Store
	Projects *projects.Service
	Plugins  *plugins.Catalogue
	Vault    *secrets.Vault
	Clock    *Clock
}

// Open opens an empty product with one project and the plugin "toy".
func Open(t testing.TB) *Product {
	t.Helper()
	return OpenAt(t, filepath.Join(t.TempDir(), "data", "culm.db"))
}

// OpenAt opens the product in a file, which may exist.
func OpenAt(t testing.TB, path string) *Product {
	t.Helper()
	ctx := context.Background()
	db := openDB(t, path)
	p := &Product{DB: db, Clock: &Clock{now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}}
	var err error
	if p.Store, err = store.Open(ctx, db); err != nil {
		t.Fatal(err)
	}
	if p.Vault, err = secrets.Open(ctx, path+".key", p.Store.Secrets(), p.Clock); err != nil {
		t.Fatal(err)
	}
	p.Projects = projects.New(p.Store)
	if err := p.Projects.Ensure(ctx, projects.Project{
		ID: Project, Name: "Demo", Zone: "Asia/Shanghai", Env: map[string]json.RawMessage{"region": json.RawMessage(`"east"`)},
	}); err != nil {
		t.Fatal(err)
	}
	p.Plugins, err = plugins.Open(ctx, plugins.Options{
		Repository: p.Store, Switches: p.Store, Inspector: Inspector{}, Projects: p.Projects, Clock: p.Clock,
		Logger: slog.New(slog.DiscardHandler), Trust: plugins.Trust{Policy: plugins.PolicyWarn},
	})
	if err != nil {
		t.Fatal(err)
	}
	install := plugins.InstallRequest{Actor: engine.Actor{ID: Actor}, Code: Toy("1.0.0"), Override: true}
	if _, err := p.Plugins.Install(ctx, install); err != nil {
		t.Fatal(err)
	}
	return p
}

// OpenStore opens a store in a file, which may exist, without anything over it.
func OpenStore(t testing.TB, path string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), openDB(t, path))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openDB(t testing.TB, path string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(context.Background(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close database: %v", err)
		}
	})
	return db
}

// Flows makes the use cases of flows; runs may be nil for a product without any.
func (p *Product) Flows(runs flows.Runs) *flows.Service {
	if runs == nil {
		runs = noRuns{}
	}
	return flows.New(flows.Options{
		Repository: p.Store, Projects: p.Projects, Catalogue: p.Plugins, Switched: p.Plugins, Secrets: p.Vault, Operations: noSystems{}, Users: p.Store,
		Runs: runs, Clock: p.Clock, Logger: slog.New(slog.DiscardHandler),
	})
}

type noSystems struct{}

// OperationForm implements flows.Operations.
func (noSystems) OperationForm(_ context.Context, _, _, operation string) (json.RawMessage, bool, error) {
	return nil, false, fault.Missing("operation", operation)
}

type noRuns struct{}

// LastRun implements flows.Runs.
func (noRuns) LastRun(context.Context, string, string) (*flows.LastRun, error) {
	return nil, nil //nolint:nilnil // the port says so: no run is no error.
}

// Clock is a clock that tests set; every reading is a microsecond after the one before,
// so that what happens later is later.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Microsecond)
	return c.now
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Inspector takes the bytes of a module for its manifest.
type Inspector struct{}

// Inspect implements plugins.Inspector.
func (Inspector) Inspect(_ context.Context, wasm []byte) (*contract.Manifest, error) {
	var m contract.Manifest
	if err := json.Unmarshal(wasm, &m); err != nil {
		return nil, &contract.Failure{Code: "MODULE_INVALID", Message: "not a module", Origin: contract.OriginPlugin}
	}
	return &m, nil
}

// Toy is the module of the plugin "toy" in a version: action "add" adds up two
// numbers, action "ask" waits for a human, action "rest" for a time.
func Toy(version string) []byte {
	return []byte(`{
  "format": "culm.plugin/v1", "id": "toy", "version": "` + version + `", "title": "Toy",
  "needs": [{"system": "calc", "operation": "*"}],
  "actions": [
    {"id": "add", "title": "Add",
     "inputs": {"type": "object", "additionalProperties": false, "required": ["a"],
       "properties": {"a": {"type": "integer", "minimum": 0}, "b": {"type": "integer", "default": 0}, "note": {"type": "string", "maxLength": 10}}},
     "outputs": {"type": "object", "additionalProperties": false, "required": ["sum"],
       "properties": {"sum": {"type": "integer"}, "note": {"type": "string"}}}},
    {"id": "ask", "title": "Ask", "waits": ["human"], "cancel": true,
     "inputs": {"type": "object", "properties": {"question": {"type": "string"}}},
     "outputs": {"type": "object", "properties": {"answer": {"type": "string"}}}},
    {"id": "rest", "title": "Rest", "waits": ["timer"], "inputs": {"type": "object"}, "outputs": {"type": "object"}}
  ]
}`)
}

// Flow reads a flow document from YAML.
func Flow(t testing.TB, text string) *engine.Flow {
	t.Helper()
	s, err := flows.ParseYAML([]byte(text), "flow.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return s.Flow
}

// AddFlow is a valid flow with one task: it adds an input and a constant.
const AddFlow = `
format: culm.flow/v1
name: {en: Add up, zh: 相加}
variables:
  - {name: count, source: input, schema: {type: integer, maximum: 100}, required: true}
  - {name: total, source: node, schema: {type: integer}, output: true}
nodes:
  - {id: start, type: start}
  - {id: add, type: task, plugin: toy, action: add, inputs: {a: "${count}", b: 2}, outputs: {total: sum}, position: {x: 10, y: 20}}
  - {id: end, type: end}
edges:
  - {id: e1, from: start, to: add}
  - {id: e2, from: add, to: end}
`
