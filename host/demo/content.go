package demo

import (
	"embed"
	"fmt"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/systems"
)

//go:embed flows/*.yaml
var files embed.FS

// SystemID is the id of the pretended platform among the systems.
const SystemID = "demo"

// Content is what a first start with the demo puts into its project: plain data,
// which the program stores through its use cases.
type Content struct {
	// ID, Name and Zone are the project's.
	ID, Name, Zone string
	// Systems are the shipped ones; the demo system is where the platform listens.
	Systems []*systems.System
	// Grants are by plugin.
	Grants map[string][]Grant
	// Flows work with nothing but the platform.
	Flows []*engine.Flow
}

// Grant lets a plugin call an operation.
type Grant struct{ System, Operation string }

// Project returns the content of the demo project. Address is the host:port at which
// the platform listens.
func Project(address string) (*Content, error) {
	all, err := systems.Shipped()
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	c := &Content{ID: "demo", Name: "Demo", Zone: "Asia/Shanghai", Systems: all, Grants: grants()}
	for _, s := range all {
		if s.ID == SystemID {
			s.BaseURL = "http://" + address
			if ps := s.Validate(); len(ps) > 0 {
				return nil, fmt.Errorf("demo: address %s: %w", address, ps)
			}
		}
	}
	for _, id := range []string{"canary-release", "health-patrol"} {
		f, err := Flow(id)
		if err != nil {
			return nil, err
		}
		c.Flows = append(c.Flows, f)
	}
	return c, nil
}

// grants gives each shipped plugin what it asks for, and the general one a few
// operations that only read.
func grants() map[string][]Grant {
	of := func(system string, operations ...string) []Grant {
		out := make([]Grant, len(operations))
		for i, o := range operations {
			out[i] = Grant{system, o}
		}
		return out
	}
	return map[string][]Grant{
		"alertmanager": of("alertmanager", "create_silence", "list_silences", "get_silence", "expire_silence"),
		"demo":         of(SystemID, "list_hosts", "start_deployment", "get_deployment", "cancel_deployment", "health", "open_ticket", "set_host_state"),
		"etcd":         of("etcd", "range", "put", "txn"),
		"http":         of(SystemID, "list_hosts", "get_deployment", "cancel_deployment", "health"),
		"prometheus":   of("prometheus", "query"),
	}
}

// Document returns the YAML of a flow that comes with the program: canary-release,
// health-patrol or alert-triage.
func Document(id string) ([]byte, error) {
	data, err := files.ReadFile("flows/" + id + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("demo: no flow %q comes with the program: %w", id, err)
	}
	return data, nil
}

// Flow returns such a flow as a document.
func Flow(id string) (*engine.Flow, error) {
	data, err := Document(id)
	if err != nil {
		return nil, err
	}
	var f engine.Flow
	if _, err := document.Decode(data, &f); err != nil {
		return nil, fmt.Errorf("demo: flow %s: %w", id, err)
	}
	return &f, nil
}
