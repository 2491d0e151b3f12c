package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/pdk/contract"
)

// payloadMax bounds what is shown of a payload, in characters.
const payloadMax = 400

// showReplayed shows a call that was made again, and where it went another way.
func (p *program) showReplayed(r *replayedCall, events bool) error {
	phase := string(r.Reason)
	fmt.Fprintf(p.out, "%s  %s  %s  %s/%s  %s", r.Node, p.text.inf("attempt %d  call %d", r.Attempt, r.Call), phase, r.Plugin, r.Action, p.text.of(string(r.Status)))
	if r.Code != "" {
		fmt.Fprintf(p.out, "  %s", clean(r.Code))
	}
	fmt.Fprintln(p.out)
	if r.Module != r.Digest {
		fmt.Fprintf(p.out, "  %s\n", fmt.Sprintf(p.text.of("replay.other"), r.Digest))
	}
	if events {
		if err := p.showEvents(r); err != nil {
			return err
		}
	}
	switch r.Result {
	case resultSame:
		fmt.Fprintf(p.out, "  %s\n", p.text.of("replay.same"))
	case resultCut:
		fmt.Fprintf(p.out, "  %s\n", p.text.of("replay.cut"))
	default:
		return p.showDifference(r)
	}
	return nil
}

// showEvents lists what was recorded, with a mark at the first difference.
func (p *program) showEvents(r *replayedCall) error {
	w := newTable(p.out)
	for i := range r.recording.Events {
		e := &r.recording.Events[i]
		mark := " "
		if d := r.Report.Difference; d != nil && d.At == i {
			mark = ">"
		}
		what, asked := p.event(e)
		fmt.Fprintf(w, "  %s %d\t%s\t%s\t%s\n", mark, i+1, what, asked, got(e))
	}
	fmt.Fprintf(w, "    \t%s\t%s\n", p.text.in("end"), outcomeText(&r.recording.Outcome))
	return failed(w.Flush())
}

func (p *program) showDifference(r *replayedCall) error {
	d := r.Report.Difference
	fmt.Fprintf(p.out, "  %s: ", p.text.of("replay.differs"))
	switch d.Way {
	case replay.WayChanged, replay.WayMissing, replay.WayExtra:
		fmt.Fprintf(p.out, p.text.of("replay."+string(d.Way))+"\n", d.At+1, r.Report.Events)
	case replay.WayOutcome:
		fmt.Fprintln(p.out, p.text.of("replay.outcome"))
	}
	w := newTable(p.out)
	line := func(key string, e *replay.Event, o *replay.Outcome) {
		switch {
		case e != nil:
			what, asked := p.event(e)
			fmt.Fprintf(w, "    %s\t%s\t%s\n", p.text.of(key), what, asked)
		case o != nil:
			fmt.Fprintf(w, "    %s\t%s\t%s\n", p.text.of(key), p.text.in("end"), outcomeText(o))
		}
	}
	line("replay.recorded", d.Recorded, d.RecordedOutcome)
	line("replay.now", d.Now, d.NowOutcome)
	if d.Was != "" || d.Is != "" {
		fmt.Fprintf(w, "    %s\t%s → %s\n", clean(d.Field), shortened(d.Was), shortened(d.Is))
	}
	if r.Module == r.Digest {
		fmt.Fprintf(w, "    %s\n", p.text.of("replay.hint"))
	}
	return failed(w.Flush())
}

// event says in two words what an event is, and what was passed.
func (p *program) event(e *replay.Event) (what, asked string) {
	switch e.Kind {
	case replay.KindGateway:
		var req contract.GatewayRequest
		if json.Unmarshal(e.Ask, &req) == nil && req.System != "" {
			return "gateway", clean(req.System+"/"+req.Operation) + " " + shortened(string(e.Ask))
		}
		return "gateway", shortened(string(e.Ask))
	case replay.KindRandom:
		return "random", fmt.Sprintf(p.text.of("bytes"), e.Number)
	case replay.KindSleep:
		return "sleep", time.Duration(e.Value).String()
	case replay.KindProgress:
		return "progress", fmt.Sprintf("%d%% %s", e.Number, shortened(string(e.Ask)))
	case replay.KindEval, replay.KindVarGet, replay.KindVarSet, replay.KindConfig, replay.KindClock, replay.KindLog:
		return string(e.Kind), strings.TrimSpace(clean(e.Name) + " " + shortened(string(e.Ask)))
	}
	return clean(string(e.Kind)), ""
}

// got says what the guest got.
func got(e *replay.Event) string {
	switch {
	case e.Open:
		return "…"
	case e.Absent:
		return "–"
	case e.Kind == replay.KindClock && e.Name == replay.ClockRealtime:
		return time.Unix(0, e.Value).UTC().Format(time.RFC3339Nano)
	case e.Kind == replay.KindClock:
		return time.Duration(e.Value).String()
	case e.Kind == replay.KindRandom, e.Kind == replay.KindSleep, len(e.Answer) == 0:
		return ""
	}
	return shortened(string(e.Answer))
}

func outcomeText(o *replay.Outcome) string {
	if o.Failure != nil {
		return clean(o.Failure.Code + ": " + o.Failure.Message)
	}
	return shortened(string(o.Output))
}

// shortened makes one bounded line of a payload, safe for a terminal.
func shortened(s string) string {
	s = clean(strings.ToValidUTF8(s, "\uFFFD"))
	if r := []rune(s); len(r) > payloadMax {
		return string(r[:payloadMax]) + "…"
	}
	return s
}

// replayWords are the texts of culm plugin replay: English, Chinese.
func replayWords() map[string][2]string {
	return map[string][2]string{
		"replay.saved":    {"%s: calls written: %d", "%s：已写入 %d 次调用"},
		"replay.same":     {"the same", "一致"},
		"replay.differs":  {"differs", "不一致"},
		"replay.cut":      {"the same up to the end of the recording, which was cut off", "录制已截断，截断前一致"},
		"replay.changed":  {"at event %d of %d the plugin goes another way", "在第 %d 个事件（共 %d 个）处走向不同"},
		"replay.missing":  {"event %d of %d does not happen any more", "第 %d 个事件（共 %d 个）不再发生"},
		"replay.extra":    {"after all %[2]d events the plugin goes on", "全部 %[2]d 个事件之后插件仍继续"},
		"replay.outcome":  {"the call ends differently", "调用结果不同"},
		"replay.recorded": {"recorded", "录制"},
		"replay.now":      {"now", "现在"},
		"replay.other":    {"another module than the recorded %s", "与录制时不同的模块（录制：%s）"},
		"replay.hint":     {"this is the recorded module: the difference is a defect of Culm, or of the recording", "这是录制时的模块：差异来自 Culm 或录制本身的缺陷"},
	}
}
