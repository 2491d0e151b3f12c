package metrics_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/metrics"
	"github.com/culmhq/culm/pdk/contract"
)

type noAudit struct{ err error }

func (a noAudit) Append(context.Context, gateway.AuditRow) error { return a.err }

// plugin answers every call in the same way.
type plugin struct {
	runner.Executor
	result engine.Result
}

func (p plugin) Execute(context.Context, runner.RunInfo, engine.Dispatch, func(engine.Note)) engine.Result {
	return p.result
}

func text(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	b, media, err := m.Text()
	if err != nil || !strings.HasPrefix(media, "text/plain") {
		t.Fatal(media, err)
	}
	return string(b)
}

// told fails unless every line is in the text.
func told(t *testing.T, m *metrics.Metrics, lines ...string) {
	t.Helper()
	got := text(t, m)
	for _, line := range lines {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("no line %s in\n%s", line, got)
		}
	}
}

func call(t *testing.T, m *metrics.Metrics, row gateway.AuditRow, err error) {
	t.Helper()
	if got := m.Audit(noAudit{err}).Append(t.Context(), row); !errors.Is(got, err) {
		t.Fatal(got)
	}
}

func TestWhatPassesIsCounted(t *testing.T) {
	t.Parallel()
	m := metrics.New("1.2.3", "abc", time.Now)
	failure := func(code string, origin contract.Origin) *contract.Failure {
		return &contract.Failure{Code: code, Origin: origin}
	}
	call(t, m, gateway.AuditRow{System: "jobs", Duration: 30 * time.Millisecond}, nil)
	call(t, m, gateway.AuditRow{System: "jobs", Duration: 2 * time.Second, Failure: failure("UPSTREAM_TIMEOUT", contract.OriginSystem)}, nil)
	call(t, m, gateway.AuditRow{System: "jobs", Failure: failure("RATE_LIMITED", contract.OriginLimit)}, errors.New("disk"))
	call(t, m, gateway.AuditRow{System: "made-up-by-a-plugin", Failure: failure("UNKNOWN_SYSTEM", contract.OriginGateway)}, nil)
	x := m.Executor(plugin{result: engine.Result{Answer: contract.Answer{Status: contract.StatusSucceeded}}})
	x.Execute(t.Context(), runner.RunInfo{}, engine.Dispatch{Plugin: "http", Reason: contract.ReasonExecute}, nil)
	x = m.Executor(plugin{result: engine.Result{Unknown: failure("OUTCOME_UNKNOWN", contract.OriginGateway)}})
	x.Execute(t.Context(), runner.RunInfo{}, engine.Dispatch{Plugin: "http", Reason: contract.ReasonExecute}, nil)
	m.Publish("r", []engine.Record{
		{Data: engine.RunStarted{}},
		{Data: engine.NodeChanged{To: engine.NodeSucceeded}},
		{Data: engine.RunChanged{To: engine.RunRunning}},
		{Data: engine.RunChanged{To: engine.RunSucceeded}},
	})
	m.Request("GET", "/projects/{project}/runs", 200, time.Millisecond)
	told(t, m,
		`culm_build_info{commit="abc",version="1.2.3"} 1`,
		`culm_gateway_calls_total{code="",outcome="ok",system="jobs"} 1`,
		`culm_gateway_calls_total{code="UPSTREAM_TIMEOUT",outcome="failed",system="jobs"} 1`,
		`culm_gateway_calls_total{code="RATE_LIMITED",outcome="refused",system="jobs"} 1`,
		`culm_gateway_calls_total{code="UNKNOWN_SYSTEM",outcome="refused",system="other"} 1`,
		`culm_gateway_call_seconds_count{system="jobs"} 2`,
		`culm_audit_failures_total 1`,
		`culm_plugin_calls_total{outcome="succeeded",plugin="http",reason="execute"} 1`,
		`culm_plugin_calls_total{outcome="unknown",plugin="http",reason="execute"} 1`,
		`culm_plugin_calls_running 0`,
		`culm_runs_started_total 1`,
		`culm_runs_ended_total{state="succeeded"} 1`,
		`culm_node_states_total{state="succeeded"} 1`,
		`culm_records_total 4`,
		`culm_http_requests_total{method="GET",route="/projects/{project}/runs",status="200"} 1`,
	)
}

func TestLabelsHaveABoundedNumberOfValues(t *testing.T) {
	t.Parallel()
	m := metrics.New("", "", time.Now)
	for i := range 1000 {
		call(t, m, gateway.AuditRow{System: fmt.Sprintf("s%d", i), Failure: &contract.Failure{Code: fmt.Sprintf("C%d", i), Origin: contract.OriginSystem}}, nil)
	}
	got := text(t, m)
	if n := strings.Count(got, "\nculm_gateway_calls_total{"); n > 201 {
		t.Errorf("%d series", n)
	}
	if !strings.Contains(got, `culm_gateway_calls_total{code="other",outcome="failed",system="other"} 800`) {
		t.Error("the others are not counted")
	}
}

// TestPrometheusHasNothingToObjectTo asks Prometheus's own linter.
func TestPrometheusHasNothingToObjectTo(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatalf("promtool is not installed; scripts/deps.sh installs prometheus, which brings it: %v", err)
	}
	m := metrics.New("1", "a", time.Now)
	call(t, m, gateway.AuditRow{System: "jobs"}, nil)
	m.Request("GET", "/x", 200, time.Second)
	m.Publish("r", []engine.Record{{Data: engine.RunStarted{}}})
	cmd := exec.CommandContext(t.Context(), tool, "check", "metrics")
	cmd.Stdin = bytes.NewReader([]byte(text(t, m)))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// traffic tells the positions of breakers, ledger those of runs.
type traffic map[gateway.BreakerKey]gateway.BreakerPosition

func (f traffic) Breakers() map[gateway.BreakerKey]gateway.BreakerPosition { return f }

type ledger struct {
	runs map[string]int
	err  error
}

func (l ledger) Census(context.Context) (map[string]int, error) { return l.runs, l.err }

func TestBreakersAndLiveRunsAreShownAsTheyAre(t *testing.T) {
	t.Parallel()
	m := metrics.New("", "", time.Now)
	m.WatchBreakers(traffic{
		{Project: "a", System: "jobs"}: gateway.BreakerOpen, {Project: "b", System: "jobs"}: gateway.BreakerOpen, {Project: "a", System: "cmdb"}: gateway.BreakerHalfOpen,
	})
	m.WatchRuns(ledger{runs: map[string]int{"running": 3, runner.Waiting: 2, "created": 1}})
	told(t, m,
		`culm_gateway_breakers{state="open",system="jobs"} 2`,
		`culm_gateway_breakers{state="closed",system="jobs"} 0`,
		`culm_gateway_breakers{state="half_open",system="cmdb"} 1`,
		`culm_runs_live{state="running"} 3`,
		`culm_runs_live{state="waiting"} 2`,
		`culm_runs_live{state="created"} 1`,
		`culm_runs_live{state="blocked"} 0`,
	)
}

func TestARunnerThatDoesNotAnswerHasNoRunsInsteadOfNone(t *testing.T) {
	t.Parallel()
	m := metrics.New("", "", time.Now)
	m.WatchRuns(ledger{err: errors.New("stopped")})
	if got := text(t, m); strings.Contains(got, "culm_runs_live{") {
		t.Error(got)
	}
}

func TestBreakersHaveABoundedNumberOfSeries(t *testing.T) {
	t.Parallel()
	m := metrics.New("", "", time.Now)
	f := traffic{}
	for i := range 1000 {
		f[gateway.BreakerKey{Project: "p", System: fmt.Sprintf("s%d", i)}] = gateway.BreakerClosed
	}
	m.WatchBreakers(f)
	for range 2 {
		got := text(t, m)
		if n := strings.Count(got, "\nculm_gateway_breakers{"); n != 3*201 || !strings.Contains(got, `culm_gateway_breakers{state="closed",system="other"} 800`) {
			t.Errorf("%d series", n)
		}
	}
}
