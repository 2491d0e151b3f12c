package plugins

import (
	"slices"
	"strings"

	"github.com/culmhq/culm/pdk/contract"
)

// holds returns the reasons why a module must be reviewed before it is used, compared
// with the version that is in use, or was. The caller holds changing.
func (c *Catalogue) holds(m Module) []Hold {
	before, ok := c.Latest(m.Plugin)
	if !ok {
		before, ok = c.newest(m.Plugin, m.Digest)
	}
	if !ok {
		return c.confusable(m)
	}
	out := asksMore(before.Manifest, m.Manifest)
	if h, ok := publisherChanged(before, m); ok {
		out = append(out, h)
	}
	return out
}

// asksMore lists what a manifest asks for beyond another one.
func asksMore(before, now *contract.Manifest) []Hold {
	var out []Hold
	for _, n := range now.Needs {
		if !slices.ContainsFunc(before.Needs, func(b contract.Need) bool { return Covers(b, Grant(n)) }) {
			out = append(out, Hold{Code: HoldNeeds, Detail: n.System + "/" + n.Operation})
		}
	}
	var was, is contract.Limits
	if before.Limits != nil {
		was = *before.Limits
	}
	if now.Limits != nil {
		is = *now.Limits
	}
	for _, l := range []struct {
		name    string
		was, is int64
	}{
		{"memory_bytes", was.MemoryBytes, is.MemoryBytes},
		{"output_bytes", was.OutputBytes, is.OutputBytes},
		{"log_bytes", was.LogBytes, is.LogBytes},
		{"host_calls", int64(was.HostCalls), int64(is.HostCalls)},
		{"timeout_ms", was.TimeoutMS, is.TimeoutMS},
	} {
		// Zero takes the host's default, which is the most there is.
		if l.was > 0 && (l.is == 0 || l.is > l.was) {
			out = append(out, Hold{Code: HoldLimits, Detail: l.name})
		}
	}
	return out
}

// shippedPublisher is who publishes what comes with the binary.
const shippedPublisher = "culm"

// publisherChanged reports that the version before had publishers, and none of them
// signed this one.
func publisherChanged(before, now Module) (Hold, bool) {
	var was []string
	if before.Shipped {
		was = append(was, shippedPublisher)
	}
	for _, s := range before.Signatures {
		was = append(was, s.Publisher)
	}
	same := slices.ContainsFunc(now.Signatures, func(s Signature) bool { return slices.Contains(was, s.Publisher) })
	if len(was) == 0 || same {
		return Hold{}, false
	}
	return Hold{Code: HoldPublisher, Detail: was[0]}, true
}

// confusable compares the name of a new plugin with those of the plugins there are. A
// publisher to whom the name belongs may have any.
func (c *Catalogue) confusable(m Module) []Hold {
	if m.Trusted && c.o.Trust.owned(m.Plugin) {
		return nil
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	like := ""
	for _, other := range c.byDigest {
		if other.Plugin != m.Plugin && skeleton(other.Plugin) == skeleton(m.Plugin) && (like == "" || other.Plugin < like) {
			like = other.Plugin
		}
	}
	if like == "" {
		return nil
	}
	return []Hold{{Code: HoldName, Detail: like}}
}

// skeleton is what is left of a name when characters that look alike are made one.
func skeleton(name string) string {
	return strings.NewReplacer("rn", "m", "vv", "w", "cl", "d", "0", "o", "1", "l", "i", "l", "5", "s", "-", "").Replace(name)
}
