package runs

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/flows"
)

// graphsMax bounds how many compiled graphs are kept.
const graphsMax = 512

// Graphs compiles flow versions against the plugins that a run pinned, and keeps the
// graphs. It is the runner's and safe for concurrent use.
type Graphs struct {
	catalogue Catalogue

	mu     sync.Mutex
	graphs map[[sha256.Size]byte]*engine.Graph
}

var _ runner.Graphs = (*Graphs)(nil)

// NewGraphs makes an empty cache over a catalogue.
func NewGraphs(c Catalogue) *Graphs { return &Graphs{catalogue: c} }

// Graph implements runner.Graphs.
func (g *Graphs) Graph(_ context.Context, digest string, document []byte, pins map[string]string) (*engine.Graph, error) {
	graph, problems, err := g.compile(digest, document, pins)
	if err != nil {
		return nil, err
	}
	if graph == nil {
		return nil, fmt.Errorf("runs: flow version %s does not compile against its pinned plugins: %w", digest, firstError(problems))
	}
	return graph, nil
}

// compile returns the graph of a document, or its problems.
func (g *Graphs) compile(digest string, document []byte, pins map[string]string) (*engine.Graph, []engine.Problem, error) {
	key := graphKey(digest, pins)
	g.mu.Lock()
	graph, ok := g.graphs[key]
	g.mu.Unlock()
	if ok {
		return graph, nil, nil
	}
	var f engine.Flow
	if err := json.Unmarshal(document, &f); err != nil {
		return nil, nil, fmt.Errorf("runs: read flow version %s: %w", digest, err)
	}
	graph, problems := engine.Compile(&f, g.catalogue.Pinned(pins))
	if graph == nil || flows.Errors(problems) {
		return nil, problems, nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.graphs == nil || len(g.graphs) >= graphsMax {
		// Starting over is simple, rare, and costs one compilation a graph in use.
		g.graphs = map[[sha256.Size]byte]*engine.Graph{}
	}
	g.graphs[key] = graph
	return graph, nil, nil
}

func graphKey(digest string, pins map[string]string) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte(digest))
	for _, id := range slices.Sorted(maps.Keys(pins)) {
		h.Write([]byte("\x00" + id + "\x00" + pins[id]))
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func firstError(ps []engine.Problem) error {
	for _, p := range ps {
		if p.Level == engine.SeverityError {
			return p
		}
	}
	return fmt.Errorf("no graph")
}

// pins returns the digests of the latest modules of the plugins that a flow and its
// subflows use. A plugin that is not installed is left out: compiling reports it.
func pins(f *engine.Flow, c Catalogue) map[string]string {
	out := map[string]string{}
	pinNodes(f, c, out)
	for _, sub := range f.Subflows {
		if sub != nil {
			pinNodes(sub, c, out)
		}
	}
	return out
}

func pinNodes(f *engine.Flow, c Catalogue, out map[string]string) {
	for i := range f.Nodes {
		if id := f.Nodes[i].Plugin; f.Nodes[i].Type == engine.TypeTask && id != "" {
			if m, ok := c.Latest(id); ok {
				out[id] = m.Digest
			}
		}
	}
}
