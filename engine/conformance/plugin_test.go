package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// plugin stands for the plugins of the original's tests. What it did it does once: a call
// that a crash has lost is answered from the journal, as the gateway's is.
type plugin struct {
	w       *world
	journal map[string]journaled
	counts  map[string]int // execute calls by node of the tree
	rolled  []string       // nodes in the order of their rollback calls
}

// journaled is an answer, and when it is there.
type journaled struct {
	answer contract.Answer
	at     time.Duration
}

// kept is what a plugin remembers between its calls: the outputs so far.
type kept struct {
	Outputs map[string]any `json:"outputs"`
	Count   int            `json:"count"`
}

// call is one call of a plugin with all that it knows.
type call struct {
	engine.Dispatch
	node   *treeNode
	inputs map[string]any // with _loop and _inner_loop, as the original passes them
	kept   kept
	w      *world
	ran    int // execute calls of the node, with this one
}

// call makes a call. The second result is how long it takes.
func (p *plugin) call(d engine.Dispatch) (contract.Answer, time.Duration) {
	key := fmt.Sprintf("%s/%d/%d/%d/%s", d.Node, d.Iteration, d.Attempt, d.Call, d.Reason)
	n := p.w.nodeAt(d.Node)
	if j, done := p.journal[key]; done {
		return j.answer, max(0, j.at-p.w.now)
	}
	if d.Reason == contract.ReasonExecute {
		p.counts[n.ID]++
	}
	c := &call{Dispatch: d, node: n, inputs: rawObject(d.Inputs), w: p.w, ran: p.counts[n.ID]}
	c.inputs["_loop"], c.inputs["_inner_loop"] = float64(d.Iteration+1), float64(p.w.watch.inner(d.Node))
	if len(d.PluginState) > 0 {
		if err := json.Unmarshal(d.PluginState, &c.kept); err != nil {
			panic(err)
		}
	}
	if d.Reason == contract.ReasonRollback {
		return p.rollback(n), 0
	}
	a, after := c.act()
	p.journal[key] = journaled{a, p.w.now + after}
	return a, after
}

// rollback answers a rollback call: it fails the first time where the case says so.
func (p *plugin) rollback(n *treeNode) contract.Answer {
	p.rolled = append(p.rolled, n.ID)
	if n.Behavior.text("rollback") == "fail first time" && slices.Index(p.rolled, n.ID) == len(p.rolled)-1 {
		return contract.Answer{Status: contract.StatusFailed, Failure: &contract.Failure{Code: "NO", Message: "not yet"}}
	}
	return contract.Answer{Status: contract.StatusSucceeded}
}

func (c *call) act() (contract.Answer, time.Duration) {
	if c.node.Type == "end" {
		if c.node.Event == "raise" {
			return c.raise("end event raised"), 0
		}
		return c.done(map[string]any{}), 0
	}
	if c.kept.Outputs == nil {
		c.kept.Outputs = map[string]any{}
	}
	if c.Reason != contract.ReasonExecute {
		return c.resume(), 0
	}
	return c.execute()
}

// execute is the first call of an attempt.
func (c *call) execute() (contract.Answer, time.Duration) {
	b := c.node.Behavior
	seconds := time.Duration(b.number("seconds") * float64(time.Second))
	switch b.text("kind") {
	case "echo":
		return c.done(c.inputs), 0
	case "echo_poll":
		c.kept.Outputs = c.inputs
		return c.poll(0), 0
	case "set_outputs":
		outputs, _ := b["outputs"].(map[string]any)
		return c.done(outputs), 0
	case "fail":
		return c.failed(nil), 0
	case "fail_times":
		return c.failedIf(float64(c.ran) <= b.number("n"), map[string]any{}), 0
	case "fail_unless_input":
		return c.failedIf(!reflect.DeepEqual(c.inputs[b.text("input")], b["equals"]), map[string]any{}), 0
	case "fail_on_loop":
		_, given := c.inputs[b.text("unless_input")]
		return c.failedIf(c.inputs["_loop"] == b.number("loop") && !given, c.looped()), 0
	case "loop_echo":
		return c.done(c.looped()), 0
	case "raise":
		if b.text("phase") == "schedule" {
			return c.poll(0), 0
		}
		return c.raise("boom in execute"), 0
	case "busy":
		return c.done(map[string]any{}), seconds
	case "sleep":
		c.kept.Outputs["deadline"] = (c.w.now + seconds).Seconds()
		return c.poll(0), 0
	case "poll":
		return c.poll(0), 0
	case "callback", "multi_callback":
		return c.wait(contract.Wait{Kind: contract.WaitCallback}), 0
	case "loop_outputs":
		return c.packed(), 0
	}
	return c.raise("unknown behaviour " + b.text("kind")), 0
}

// resume is a further call: a poll or a callback.
func (c *call) resume() contract.Answer {
	b := c.node.Behavior
	switch b.text("kind") {
	case "echo_poll":
		return c.done(c.kept.Outputs)
	case "raise":
		return c.raise("boom in schedule")
	case "sleep":
		if deadline, _ := c.kept.Outputs["deadline"].(float64); c.w.now.Seconds() < deadline {
			return c.poll(time.Second)
		}
		return c.done(c.kept.Outputs)
	case "poll":
		c.kept.Count++
		n := float64(c.kept.Count)
		c.kept.Outputs["count"] = n
		switch {
		case n == b.number("fail_at_tick"):
			return c.failed(c.kept.Outputs)
		case n >= b.number("ticks"):
			return c.done(c.kept.Outputs)
		}
		return c.poll(time.Duration(b.number("interval") * float64(time.Second)))
	}
	if bit, given := rawObject(c.Callback)["bit"]; given && bit == 0.0 {
		return c.failed(c.kept.Outputs)
	}
	if b.text("kind") == "callback" {
		return c.done(c.kept.Outputs)
	}
	c.kept.Count++
	c.kept.Outputs["scheduled_times"] = float64(c.kept.Count)
	if float64(c.kept.Count) >= b.number("count") {
		return c.done(c.kept.Outputs)
	}
	return c.wait(contract.Wait{Kind: contract.WaitCallback})
}

// looped are the inputs with the loop's number.
func (c *call) looped() map[string]any {
	out := maps.Clone(c.inputs)
	out["loop"] = c.inputs["_loop"]
	return out
}

// packed is the answer of a node that repeats itself. What the original packs into the
// output "outputs" and collects are the node's outputs here.
func (c *call) packed() contract.Answer {
	inner := c.inputs["_inner_loop"]
	out := maps.Clone(c.inputs)
	delete(out, "_loop")
	delete(out, "_inner_loop")
	b := c.node.Behavior
	bad := slices.Contains(b.numbers("fail_at"), asFloat(inner)) && !slices.Contains(b.numbers("ok_exec"), float64(c.ran))
	if bad && !c.node.Options.Loop.FailSkip {
		return c.answer(contract.StatusFailed, out)
	}
	out["result"], out["inner_loop"] = !bad, inner
	if bad {
		return c.answer(contract.StatusFailed, out)
	}
	return c.answer(contract.StatusSucceeded, out)
}

func asFloat(v any) float64 { f, _ := v.(float64); return f }

func (c *call) failedIf(bad bool, outputs map[string]any) contract.Answer {
	if bad {
		return c.failed(nil)
	}
	return c.done(outputs)
}

// marks adds what the original adds to the outputs of every call.
func (c *call) marks(outputs map[string]any, ok bool) map[string]any {
	out := maps.Clone(outputs)
	if out == nil {
		out = map[string]any{}
	}
	out["_result"], out["_loop"], out["_inner_loop"] = ok, c.inputs["_loop"], c.inputs["_inner_loop"]
	return out
}

func (c *call) done(outputs map[string]any) contract.Answer {
	return c.answer(contract.StatusSucceeded, c.marks(outputs, true))
}

func (c *call) failed(outputs map[string]any) contract.Answer {
	return c.answer(contract.StatusFailed, c.marks(outputs, false))
}

func (c *call) raise(message string) contract.Answer {
	out := maps.Clone(c.kept.Outputs)
	if out == nil {
		out = map[string]any{}
	}
	out["ex_data"] = "Exception: " + message
	return c.failed(out)
}

func (c *call) answer(status contract.Status, outputs map[string]any) contract.Answer {
	a := contract.Answer{Status: status, Outputs: mustJSON(outputs)}
	if status == contract.StatusFailed {
		a.Failure = &contract.Failure{Code: "REFERENCE_FAILED", Message: "failed", Origin: contract.OriginPlugin}
	}
	return a
}

func (c *call) poll(after time.Duration) contract.Answer {
	return c.wait(contract.Wait{Kind: contract.WaitPoll, AfterMS: after.Milliseconds()})
}

func (c *call) wait(wait contract.Wait) contract.Answer {
	c.kept.Outputs = c.marks(c.kept.Outputs, true)
	return contract.Answer{Status: contract.StatusWaiting, Wait: &wait, State: mustJSON(c.kept)}
}
