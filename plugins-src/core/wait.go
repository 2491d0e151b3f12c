package main

import (
	"time"

	"github.com/culmhq/culm/pdk"
)

// WaitForIn waits for a span of time. The node uses nothing while it waits, and the
// wait goes on across restarts of the server.
type WaitForIn struct {
	// How long to wait, for example 90s, 1h30m or 2d.
	Duration pdk.Duration `json:"duration"`
}

// WaitForOut says how the wait went.
type WaitForOut struct {
	// When the wait began.
	StartedAt time.Time `json:"started_at"`
	// When the flow went on.
	EndedAt time.Time `json:"ended_at"`
}

func waitFor(c *pdk.Ctx, in WaitForIn) (WaitForOut, error) {
	out := WaitForOut{StartedAt: c.Now(), EndedAt: c.Now()}
	if in.Duration == 0 {
		return out, nil
	}
	return out, pdk.Timer(time.Duration(in.Duration), out)
}

func waitedFor(c *pdk.Ctx, _ WaitForIn) (out WaitForOut, err error) {
	err = c.State(&out)
	out.EndedAt = c.Now()
	return out, err
}

// WaitUntilIn waits until a moment, given as an instant or as local time.
//
// A local time that the clock skips in spring is taken as much later as the clock
// jumps; one that it shows twice in autumn is the first of the two.
type WaitUntilIn struct {
	// An instant (2026-03-01T09:00:00Z), a local date and time (2026-03-01 09:00), or a
	// time of day (09:00), which is the next one to come.
	At string `json:"at" title:"Moment" jsonschema:"minLength=4,maxLength=40,example=2026-03-01 09:00"`
	// The IANA time zone of a local time, for example Asia/Shanghai. Empty is the
	// project's zone.
	Zone string `json:"zone,omitempty" title:"Time zone" jsonschema:"maxLength=64" ui:"advanced"`
	// What to do when the moment has already passed.
	Past string `json:"past,omitempty" title:"If it has passed" choices:"continue:Continue at once|fail:Fail" ui:"advanced"`
}

// WaitUntilOut says how the wait went.
type WaitUntilOut struct {
	// The moment that was waited for, in UTC.
	At time.Time `json:"at" title:"Moment"`
	// Whether the moment had passed before the node began.
	Passed bool `json:"passed"`
}

func waitUntil(c *pdk.Ctx, in WaitUntilIn) (WaitUntilOut, error) {
	at, err := moment(c, in)
	if err != nil {
		return WaitUntilOut{}, err
	}
	out := WaitUntilOut{At: at}
	if at.After(c.Now()) {
		return out, pdk.Until(at, out)
	}
	out.Passed = true
	if in.Past == "fail" {
		return out, pdk.Fail("MOMENT_PASSED", "%s has passed", at.Format(time.RFC3339))
	}
	return out, nil
}

func waitedUntil(c *pdk.Ctx, _ WaitUntilIn) (out WaitUntilOut, err error) {
	return out, c.State(&out)
}
