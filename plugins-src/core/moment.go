package main

import (
	"cmp"
	"time"
	_ "time/tzdata" // a module has no files to read time zones from

	"github.com/culmhq/culm/pdk"
)

// moment finds the instant that a wait_until means.
func moment(c *pdk.Ctx, in WaitUntilIn) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, in.At); err == nil {
		return t.UTC(), nil
	}
	zone := cmp.Or(in.Zone, c.Run().Zone, "UTC")
	loc, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		return time.Time{}, pdk.InvalidInput("zone", "%q is not an IANA time zone such as Asia/Shanghai", zone)
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02T15:04:05"} {
		if wall, err := time.Parse(layout, in.At); err == nil {
			return local(wall, loc), nil
		}
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		if wall, err := time.Parse(layout, in.At); err == nil {
			return nextTime(c.Now().In(loc), wall, loc), nil
		}
	}
	return time.Time{}, pdk.InvalidInput("at", "%q is neither an instant (2026-03-01T09:00:00Z), nor a local time (2026-03-01 09:00), nor a time of day (09:00)", in.At)
}

// nextTime returns the first instant after now at which the clock of loc shows the time
// of day of wall.
func nextTime(now, wall time.Time, loc *time.Location) time.Time {
	for day := now.Day(); ; day++ {
		w := time.Date(now.Year(), now.Month(), day, wall.Hour(), wall.Minute(), wall.Second(), 0, time.UTC)
		if t := local(w, loc); t.After(now) {
			return t
		}
	}
}

// local returns the instant at which the clock of loc shows what wall shows in UTC. The
// offsets a day before and a day after are those on both sides of a change of the
// clock, if there is one.
func local(wall time.Time, loc *time.Location) time.Time {
	_, before := wall.AddDate(0, 0, -1).In(loc).Zone()
	_, after := wall.AddDate(0, 0, 1).In(loc).Zone()
	first := wall.Add(-time.Duration(before) * time.Second)
	second := wall.Add(-time.Duration(after) * time.Second)
	if _, offset := first.In(loc).Zone(); offset == before {
		return first.UTC()
	}
	if _, offset := second.In(loc).Zone(); offset == after {
		return second.UTC()
	}
	// Skipped: the offset from before the change puts it as much later as the
	// clock jumps.
	return first.UTC()
}
