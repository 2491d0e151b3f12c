package audit_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/audit"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/projects"
)

// logged is a log of n entries, a minute apart, in turn of two systems.
func logged(t *testing.T, n int) (*hosttest.Product, *audit.Service) {
	t.Helper()
	p := hosttest.Open(t)
	for i := range n {
		e := audit.Entry{At: minute(i), Kind: audit.KindCall, Project: "demo", System: []string{"even", "odd"}[i%2], Action: "<&>", Outcome: audit.OutcomeOK}
		if _, err := p.Store.AppendAudit(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	return p, audit.NewService(p.Store, projects.New(p.Store), func() time.Time { return minute(n) })
}

func minute(i int) time.Time {
	return time.Date(2026, 11, 26, 1, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Minute)
}

// exported reads an export to its end.
func exported(t *testing.T, s *audit.Service, r audit.Range) (audit.Taken, []audit.Line) {
	t.Helper()
	taken, body, err := s.Export(t.Context(), audit.Entry{Actor: "local"}, r)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	var out []audit.Line
	in := bufio.NewScanner(body)
	for in.Scan() {
		var l audit.Line
		if err := json.Unmarshal(in.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return taken, out
}

func sequence(lines []audit.Line) iter.Seq2[audit.Line, error] {
	return func(yield func(audit.Line, error) bool) {
		for _, l := range lines {
			if !yield(l, nil) {
				return
			}
		}
	}
}

func numbers(t *testing.T, lines []audit.Line) string {
	t.Helper()
	var out []string
	for _, l := range lines {
		var e audit.Entry
		if err := json.Unmarshal(l.Entry, &e); err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprint(e.Seq))
	}
	return strings.Join(out, " ")
}

func TestAnExportOfTheWholeLogVerifiesAndSaysThatItWasMade(t *testing.T) {
	t.Parallel()
	p, s := logged(t, 1203)
	taken, lines := exported(t, s, audit.Range{})
	if taken != (audit.Taken{Through: 1203, Head: 1203}) || len(lines) != 1203 {
		t.Fatalf("%+v, %d lines", taken, len(lines))
	}
	if r, err := audit.Verify(sequence(lines), nil); err != nil || !r.OK() {
		t.Errorf("%+v %v", r, err)
	}
	last, err := p.Store.AuditLines(t.Context(), audit.Filter{}, 0, 1)
	var e audit.Entry
	if err == nil {
		err = json.Unmarshal(last[0].Entry, &e)
	}
	if err != nil || e.Seq != 1204 || e.Action != audit.ActionExported || e.Actor != "local" || string(e.Detail) != `{"after":0,"through":1203}` {
		t.Errorf("%+v %v", e, err)
	}
	// The next one goes on where it ended: what was added in between, the entry of the first.
	_, more := exported(t, s, audit.Range{After: taken.Through})
	if r, err := audit.Verify(sequence(append(lines, more...)), nil); err != nil || !r.OK() || numbers(t, more) != "1204" {
		t.Errorf("%+v %v, %s", r, err, numbers(t, more))
	}
}

func TestAnExportTakesARangeOfNumbersOrTime(t *testing.T) {
	t.Parallel()
	_, s := logged(t, 300)
	for name, c := range map[string]struct {
		r    audit.Range
		want string
	}{
		"numbers":              {audit.Range{After: 3, Through: 6}, "4 5 6"},
		"one system":           {audit.Range{After: 3, Through: 8, Filter: audit.Filter{System: "odd"}}, "4 6 8"},
		"time":                 {audit.Range{Filter: audit.Filter{From: minute(150), To: minute(153)}}, "151 152 153"},
		"time and numbers":     {audit.Range{After: 151, Filter: audit.Filter{From: minute(150), To: minute(153)}}, "152 153"},
		"before everything":    {audit.Range{Filter: audit.Filter{To: minute(-1000)}}, ""},
		"behind everything":    {audit.Range{Filter: audit.Filter{From: minute(10_000)}}, ""},
		"behind the last one":  {audit.Range{After: 9000}, ""},
		"of the other project": {audit.Range{Filter: audit.Filter{Action: "none"}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, lines := exported(t, s, c.r)
			if got := numbers(t, lines); got != c.want {
				t.Errorf("%s", got)
			}
		})
	}
	for field, r := range map[string]audit.Range{
		"/after": {After: -1}, "/through": {After: 5, Through: 5}, "/kind": {Filter: audit.Filter{Kind: "x"}},
	} {
		var f *fault.Error
		if _, _, err := s.Export(t.Context(), audit.Entry{}, r); !errors.As(err, &f) || f.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, _, err := s.Export(t.Context(), audit.Entry{}, audit.Range{Filter: audit.Filter{Project: "none"}}); !fault.Is(err, fault.NotFound) {
		t.Errorf("%v", err)
	}
}

func TestExportsAreBounded(t *testing.T) {
	t.Parallel()
	_, s := logged(t, 2)
	var open []io.Closer
	for range audit.ExportsMax {
		_, body, err := s.Export(t.Context(), audit.Entry{}, audit.Range{})
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, body)
	}
	if _, _, err := s.Export(t.Context(), audit.Entry{}, audit.Range{}); !fault.Is(err, fault.TooMany) {
		t.Errorf("%v", err)
	}
	for _, c := range open {
		if err := errors.Join(c.Close(), c.Close()); err != nil {
			t.Error(err)
		}
	}
	if _, lines := exported(t, s, audit.Range{}); len(lines) != 4 {
		t.Errorf("%d lines", len(lines))
	}
}

func TestWhatCannotBeEnteredIsNotExported(t *testing.T) {
	t.Parallel()
	p, s := logged(t, 2)
	cut(t, p, `DELETE FROM audit WHERE seq > 1`)
	if _, _, err := s.Export(t.Context(), audit.Entry{}, audit.Range{}); !fault.Is(err, fault.Internal) {
		t.Errorf("%v", err)
	}
}
