package traces_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/traces"
	"github.com/culmhq/culm/pdk/contract"
)

// receiver is a collector that keeps what it is sent.
type receiver struct {
	mu     sync.Mutex
	spans  []*otlp.Span
	text   []string
	status int
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	var in io.Reader = q.Body
	if q.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(q.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		in = z
	}
	body, err := io.ReadAll(in)
	var sent collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &sent)
	}
	if err != nil || q.URL.Path != "/v1/traces" {
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text = append(r.text, string(body))
	for _, rs := range sent.GetResourceSpans() {
		for _, ss := range rs.GetScopeSpans() {
			r.spans = append(r.spans, ss.GetSpans()...)
		}
	}
	if r.status != 0 {
		w.WriteHeader(r.status)
	}
}

const canary = "correct-horse-battery"

func at(n int) time.Time {
	return time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second)
}

type noAudit struct{}

func (noAudit) Append(context.Context, gateway.AuditRow) error { return nil }

func tracer(t *testing.T, r *receiver, log io.Writer) *traces.Tracer {
	t.Helper()
	return sampler(t, r, log, 1, nil)
}

// sampler is a tracer that sends a share of the traces.
func sampler(t *testing.T, r *receiver, log io.Writer, share float64, starts traces.Starts) *traces.Tracer {
	t.Helper()
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	e, err := traces.OTLP(t.Context(), s.URL+"/v1/traces")
	if err != nil {
		t.Fatal(err)
	}
	return traces.New(traces.Options{Exporter: e, Logger: slog.New(slog.NewTextHandler(log, nil)), Version: "test", Sample: share, Starts: starts})
}

func change(n int, node string, c engine.NodeChanged) engine.Record {
	return engine.Record{At: at(n), Kind: engine.KindNodeState, Node: node, Data: c}
}

// play tells of a run with a node that fails and is tried again: part is which process
// tells it.
func play(t *testing.T, tr *traces.Tracer, part int) {
	t.Helper()
	failure := &contract.Failure{Code: "UPSTREAM_TIMEOUT", Message: canary, Origin: contract.OriginSystem}
	if part != 2 {
		tr.Publish("run-1", []engine.Record{
			{At: at(0), Data: engine.RunStarted{Run: "run-1", Name: canary, Flow: "deploy", Version: 3, Project: "demo", Operator: canary}},
			change(1, "a", engine.NodeChanged{To: engine.NodeRunning, Iteration: 1, Attempt: 1}),
		})
		row := gateway.AuditRow{
			At: at(2), Project: "demo", Run: "run-1", Flow: "deploy", Node: "a", Iteration: 1, Attempt: 1, Actor: canary, Plugin: "http",
			System: "jobs", Operation: "start", Method: "POST", Failure: failure, Duration: time.Second,
		}
		if err := tr.Audit(noAudit{}).Append(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		tr.Publish("run-1", []engine.Record{change(4, "a", engine.NodeChanged{To: engine.NodeFailed, Failure: failure})})
	}
	if part != 1 {
		tr.Publish("run-1", []engine.Record{
			change(5, "a", engine.NodeChanged{To: engine.NodeRunning, Iteration: 1, Attempt: 2}),
			change(6, "a", engine.NodeChanged{To: engine.NodeSucceeded}),
			{At: at(7), Data: engine.RunChanged{To: engine.RunSucceeded}},
		})
	}
	if err := tr.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// tree writes spans as lines of parent > name [attempt], sorted.
func tree(spans []*otlp.Span) []string {
	names := map[string]string{}
	label := func(s *otlp.Span) string {
		out := s.GetName()
		for _, a := range s.GetAttributes() {
			if a.GetKey() == "culm.attempt" && s.GetName() == "attempt" {
				out += " " + string('0'+rune(a.GetValue().GetIntValue()))
			}
		}
		return out
	}
	for _, s := range spans {
		names[string(s.GetSpanId())] = label(s)
	}
	var out []string
	for _, s := range spans {
		parent := names[string(s.GetParentSpanId())]
		if len(s.GetParentSpanId()) == 0 {
			parent = "-"
		}
		out = append(out, parent+" > "+label(s))
	}
	slices.Sort(out)
	return out
}

func TestARunIsOneTraceDownToItsCalls(t *testing.T) {
	t.Parallel()
	r := &receiver{}
	play(t, tracer(t, r, io.Discard), 0)
	want := []string{"- > run", "attempt 1 > call", "node > attempt 1", "node > attempt 2", "run > node"}
	if got := tree(r.spans); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, s := range r.spans {
		if id := traces.TraceID("run-1"); len(s.GetTraceId()) != 16 || id != hexOf(s.GetTraceId()) {
			t.Errorf("%s is of trace %x, want %s", s.GetName(), s.GetTraceId(), id)
		}
		failed := s.GetStatus().GetCode() == otlp.Status_STATUS_CODE_ERROR
		if wrong := s.GetName() == "call"; wrong && !failed {
			t.Errorf("%s is no failure", s.GetName())
		}
		if s.GetName() == "run" && (s.GetStartTimeUnixNano() != uint64(at(0).UnixNano()) || s.GetEndTimeUnixNano() != uint64(at(7).UnixNano())) {
			t.Errorf("the run is from %d to %d", s.GetStartTimeUnixNano(), s.GetEndTimeUnixNano())
		}
	}
}

func TestATraceGoesOnInTheNextProcess(t *testing.T) {
	t.Parallel()
	r := &receiver{}
	play(t, tracer(t, r, io.Discard), 1)
	play(t, tracer(t, r, io.Discard), 2)
	want := []string{"- > run", "attempt 1 > call", "node > attempt 1", "node > attempt 2", "run > node"}
	if got := tree(r.spans); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNothingIsSentButTheList(t *testing.T) {
	t.Parallel()
	r := &receiver{}
	play(t, tracer(t, r, io.Discard), 0)
	if text := strings.Join(r.text, ""); strings.Contains(text, canary) {
		t.Error("the name of a run, an operator or the message of a failure was sent")
	}
	for _, s := range r.spans {
		for _, a := range s.GetAttributes() {
			if !slices.Contains(traces.Allowed(), a.GetKey()) {
				t.Errorf("%s has the attribute %s", s.GetName(), a.GetKey())
			}
		}
		if len(s.GetEvents())+len(s.GetLinks()) > 0 || s.GetStatus().GetMessage() != "" {
			t.Errorf("%s has more than attributes", s.GetName())
		}
	}
}

func TestACollectorThatFailsHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	r := &receiver{status: http.StatusBadRequest}
	play(t, tracer(t, r, &log), 0)
	if !strings.Contains(log.String(), "traces were not sent") {
		t.Errorf("the log says %q", log.String())
	}
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	var out strings.Builder
	for _, c := range b {
		out.WriteByte(digits[c>>4])
		out.WriteByte(digits[c&15])
	}
	return out.String()
}

// starts is how runs began.
type starts map[string]string

func (s starts) Started(_ context.Context, run string) (engine.RunStarted, error) {
	if p, ok := s[run]; ok {
		return engine.RunStarted{Trace: p}, nil
	}
	return engine.RunStarted{}, errors.New("no such run")
}

const (
	callerTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	callerSpan  = "00f067aa0ba902b7"
)

// TestARunIsPartOfTheTraceThatStartedIt also when the process that goes on with it did not see
// it start, and follows the decision of that trace.
func TestARunIsPartOfTheTraceThatStartedIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		share  float64
		starts starts
		want   []string
	}{
		"sent, although no other is": {0, starts{"run-1": "00-" + callerTrace + "-" + callerSpan + "-01"}, []string{callerSpan}},
		"not sent, although all are": {1, starts{"run-1": "00-" + callerTrace + "-" + callerSpan + "-00"}, nil},
		"none sent":                  {0, starts{"run-1": ""}, nil},
		"of its own":                 {1, starts{"run-1": "00-nothing"}, []string{""}},
		"cannot be read":             {1, starts{}, []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &receiver{}
			play(t, sampler(t, r, io.Discard, c.share, c.starts), 2)
			var parents []string
			for _, s := range r.spans {
				if s.GetName() == "run" {
					parents = append(parents, hexOf(s.GetParentSpanId()))
				}
				if joined := slices.Contains(c.want, callerSpan); joined != (hexOf(s.GetTraceId()) == callerTrace) {
					t.Errorf("%s is of trace %x", s.GetName(), s.GetTraceId())
				}
			}
			if !slices.Equal(parents, c.want) || (c.want == nil) != (len(r.spans) == 0) {
				t.Errorf("%d spans, runs below %q", len(r.spans), parents)
			}
		})
	}
}

func TestAShareOfTheTracesIsSentAndEachWhole(t *testing.T) {
	t.Parallel()
	r := &receiver{}
	tr := sampler(t, r, io.Discard, 0.5, nil)
	const n = 400
	for i := range n {
		run := fmt.Sprint("run-", i)
		tr.Publish(run, []engine.Record{
			{At: at(0), Data: engine.RunStarted{Run: run}},
			change(1, "a", engine.NodeChanged{To: engine.NodeRunning, Iteration: 1, Attempt: 1}),
			change(2, "a", engine.NodeChanged{To: engine.NodeSucceeded}),
			{At: at(3), Data: engine.RunChanged{To: engine.RunSucceeded}},
		})
	}
	if err := tr.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	whole := map[string]int{}
	for _, s := range r.spans {
		whole[hexOf(s.GetTraceId())]++
	}
	for id, spans := range whole {
		if spans != 3 {
			t.Errorf("trace %s has %d spans", id, spans)
		}
	}
	if len(whole) < n/3 || len(whole) > 2*n/3 {
		t.Errorf("%d of %d traces were sent", len(whole), n)
	}
}

// TestACallIsTheSpanThatItsSystemWasTold looks at what goes out and what is sent.
func TestACallIsTheSpanThatItsSystemWasTold(t *testing.T) {
	t.Parallel()
	r := &receiver{}
	tr := sampler(t, r, io.Discard, 1, starts{"run-1": "00-" + callerTrace + "-" + callerSpan + "-01"})
	header, span := tr.Call(t.Context(), "run-1")
	if header != "00-"+callerTrace+"-"+span+"-01" || len(span) != 16 {
		t.Errorf("%q, %q", header, span)
	}
	row := gateway.AuditRow{At: at(2), Run: "run-1", Node: "a", Iteration: 1, Attempt: 1, System: "jobs", Span: span}
	if err := errors.Join(tr.Audit(noAudit{}).Append(t.Context(), row), tr.Shutdown(t.Context())); err != nil {
		t.Fatal(err)
	}
	if len(r.spans) != 1 || hexOf(r.spans[0].GetSpanId()) != span || hexOf(r.spans[0].GetTraceId()) != callerTrace {
		t.Errorf("%v", r.spans)
	}
	if header, _ := sampler(t, r, io.Discard, 0, nil).Call(t.Context(), "run-2"); !strings.HasSuffix(header, "-00") {
		t.Errorf("%q of a trace that is not sent", header)
	}
}
