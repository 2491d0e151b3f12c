package flows

import (
	"github.com/culmhq/culm/engine"
)

// CodePluginDisabled says that the project has switched the plugin of a task off, or one that a
// subflow uses; Args: plugin, and flow where it is a subflow's.
const CodePluginDisabled = "PLUGIN_DISABLED"

// CodePluginOutOfUse says that every version of the plugin of a task is blocked, withdrawn,
// or waits for a review; Args: plugin.
const CodePluginOutOfUse = "PLUGIN_OUT_OF_USE"

// switchedOff returns a problem for each node of a document whose plugin the project has
// switched off, and for each subflow node below which there is one.
func (s *Service) switchedOff(project string, f *engine.Flow, found map[string]*part) []engine.Problem {
	var out []engine.Problem
	below := map[string]string{} // the first plugin that is off, by reference
	off := func(_ *engine.Flow, n *engine.Node) bool { return s.o.Switched.Disabled(project, n.Plugin) }
	for i := range f.Nodes {
		n := &f.Nodes[i]
		var p *engine.Problem
		switch {
		case n.Type == engine.TypeTask && s.o.Switched.Disabled(project, n.Plugin):
			p = problem(CodePluginDisabled, "/plugin", "plugin "+n.Plugin+" is switched off in this project", "plugin", n.Plugin)
		case n.Type == engine.TypeTask && s.o.Switched.OutOfUse(n.Plugin):
			p = problem(CodePluginOutOfUse, "/plugin", "no version of plugin "+n.Plugin+" may be used: all are blocked, withdrawn, or wait for a review",
				"plugin", n.Plugin)
		case n.Type == engine.TypeSubflow && n.Flow != "":
			if plugin := firstBelow(n, found, below, off); plugin != "" {
				p = problem(CodePluginDisabled, "/flow", "flow "+n.Flow+" uses plugin "+plugin+", which is switched off in this project",
					"plugin", plugin, "flow", n.Flow)
			}
		}
		if p != nil {
			p.Node = n.ID
			out = append(out, *p)
		}
	}
	return out
}

// firstBelow returns the first plugin in what a subflow node names, and below that, of a task
// that is wrong; "" when none is. It keeps in known what it finds, by reference.
func firstBelow(n *engine.Node, found map[string]*part, known map[string]string, wrong func(f *engine.Flow, n *engine.Node) bool) string {
	reference := n.Reference()
	if plugin, ok := known[reference]; ok {
		return plugin
	}
	known[reference] = "" // a flow that contains itself ends here
	p := found[reference]
	if p == nil || p.flow == nil {
		return ""
	}
	for i := range p.flow.Nodes {
		child := &p.flow.Nodes[i]
		plugin := ""
		switch {
		case child.Type == engine.TypeTask && wrong(p.flow, child):
			plugin = child.Plugin
		case child.Type == engine.TypeSubflow && child.Flow != "":
			plugin = firstBelow(child, found, known, wrong)
		}
		if plugin != "" {
			known[reference] = plugin
			return plugin
		}
	}
	return ""
}
