package health_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/health"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/pdk/contract"
)

// clock is a clock whose waits end when the test says so.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	ticks chan time.Time
}

func newClock() *clock {
	return &clock{now: time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC), ticks: make(chan time.Time)}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) After(time.Duration) (<-chan time.Time, func()) { return c.ticks, func() {} }

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// scripted is an executor that takes some time and gives the next answer.
type scripted struct {
	runner.Executor
	clock  *clock
	took   time.Duration
	result engine.Result
}

func (s *scripted) Execute(context.Context, runner.RunInfo, engine.Dispatch, func(engine.Note)) engine.Result {
	s.clock.advance(s.took)
	return s.result
}

// ward is what the tests work on: a recorder over a real file.
type ward struct {
	*hosttest.Product
	t        *testing.T
	clock    *clock
	recorder *health.Recorder
	service  *health.Service
	script   *scripted
}

func open(t *testing.T, path string, c *clock) *ward {
	t.Helper()
	w := &ward{Product: hosttest.OpenAt(t, path), t: t, clock: c, script: &scripted{clock: c}}
	w.recorder = health.NewRecorder(health.Options{Store: w.Store, Clock: c, Logger: slog.New(slog.DiscardHandler)})
	w.service = health.NewService(w.recorder, w.Projects)
	return w
}

func newWard(t *testing.T) *ward {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "data", "culm.db"), newClock())
}

// call makes a call of a version of a plugin that ends so.
func (w *ward) call(plugin, digest string, took time.Duration, r engine.Result) {
	w.script.took, w.script.result = took, r
	w.script.result.Digest = digest
	w.recorder.Watch(w.script).Execute(w.t.Context(),
		runner.RunInfo{ID: "run-1", Project: hosttest.Project}, engine.Dispatch{Node: "n", Plugin: plugin}, nil)
}

func (w *ward) report(plugin string, window health.Window) health.Report {
	w.t.Helper()
	r, err := w.service.Plugin(w.t.Context(), hosttest.Project, plugin, window)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// store lets the recorder store what it counted, as the end of the program does.
func (w *ward) store() {
	ctx, stop := context.WithCancel(w.t.Context())
	stop()
	w.recorder.Run(ctx)
}

func done() engine.Result {
	return engine.Result{Answer: contract.Answer{Status: contract.StatusSucceeded}}
}

func failed(code string, origin contract.Origin) engine.Result {
	return engine.Result{Answer: contract.Answer{Status: contract.StatusFailed, Failure: &contract.Failure{Code: code, Origin: origin}}}
}

func TestCallsAreCountedByVersionAndOutcome(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	for range 97 {
		w.call("toy", "sha256:a", 2*time.Millisecond, done())
	}
	w.call("toy", "sha256:a", 40*time.Millisecond, failed("HOST_NOT_FOUND", contract.OriginPlugin))
	w.call("toy", "sha256:a", 30*time.Second, failed("PLUGIN_TIMEOUT", contract.OriginLimit))
	w.call("toy", "sha256:b", 50*time.Millisecond, engine.Result{Unknown: &contract.Failure{Code: "X", Origin: contract.OriginGateway}})
	w.call("toy", "sha256:b", time.Second, failed("CANCELLED", contract.OriginHost))
	w.call("toy", "sha256:b", time.Second, failed("INPUT_INVALID", contract.OriginFlow))
	w.call("other", "sha256:c", time.Second, done())

	r := w.report("toy", "")
	if r.Window != health.Day || len(r.Hours) != 24 || r.Hours[23].Calls != 100 || r.Hours[23].Failures != 3 || r.Hours[0].Calls != 0 {
		t.Errorf("hours %+v", r.Hours)
	}
	tot := r.Total
	if tot.Calls != 100 || tot.Failures != 3 || tot.Cancelled != 1 || tot.LimitsHit != 1 || tot.LongestMS != 30_000 {
		t.Errorf("total %+v", tot)
	}
	if tot.P50MS < 2 || tot.P50MS > 2.4 || tot.P99MS < 50 || tot.P99MS > 60 {
		t.Errorf("p50 %v, p99 %v", tot.P50MS, tot.P99MS)
	}
	if tot.LastFailure == nil || tot.LastFailure.Code != "OUTCOME_UNKNOWN" || tot.LastFailure.Run != "run-1" || tot.LastFailure.Node != "n" {
		t.Errorf("last failure %+v", tot.LastFailure)
	}
	if len(r.Versions) != 2 || r.Versions[0].Digest != "sha256:a" || r.Versions[0].Calls != 99 || r.Versions[1].Calls != 1 {
		t.Fatalf("versions %+v", r.Versions)
	}
	want := []health.CodeCount{
		{Code: "HOST_NOT_FOUND", Origin: contract.OriginPlugin, Count: 1}, {Code: "PLUGIN_TIMEOUT", Origin: contract.OriginLimit, Count: 1},
	}
	if !slices.Equal(r.Versions[0].Codes, want) {
		t.Errorf("codes %+v, want %+v", r.Versions[0].Codes, want)
	}
	all, err := w.service.Summaries(t.Context(), hosttest.Project)
	if err != nil || len(all) != 2 || all[1].Plugin != "toy" || all[1].Calls != 100 || all[1].LimitsHit != 1 {
		t.Errorf("summaries %+v, %v", all, err)
	}
}

func TestHealthOutlivesTheServer(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "culm.db")
	c := newClock()
	t.Run("before", func(t *testing.T) {
		w := open(t, path, c)
		w.call("toy", "sha256:a", time.Millisecond, done())
		w.store()
		w.call("toy", "sha256:a", time.Millisecond, failed("BAD", contract.OriginPlugin))
		w.store()
	})
	w := open(t, path, c)
	w.call("toy", "sha256:a", 3*time.Millisecond, done())
	if r := w.report("toy", health.Day); r.Total.Calls != 3 || r.Total.Failures != 1 || r.Total.LongestMS != 3 {
		t.Errorf("after a restart: %+v", r.Total)
	}
}

func TestAWeekIsKept(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	for range 10 * 24 {
		w.call("toy", "sha256:a", time.Millisecond, done())
		w.store()
		w.clock.advance(time.Hour)
	}
	week, day := w.report("toy", health.Week), w.report("toy", health.Day)
	if week.Total.Calls != 7*24-1 || day.Total.Calls != 23 { // the hour that begins now has none
		t.Errorf("week %d, day %d calls", week.Total.Calls, day.Total.Calls)
	}
	rows, err := w.Store.Health(t.Context(), hosttest.Project, 0)
	if err != nil || len(rows) > 7*24+1 {
		t.Errorf("%d hours are kept, %v", len(rows), err)
	}
}

func TestTheNumberOfRowsIsBounded(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	hour := w.clock.Now().Unix() / 3600
	rows := make([]health.Row, health.RowsMax+50)
	for i := range rows {
		rows[i] = health.Row{
			Cell:   health.Cell{Project: hosttest.Project, Plugin: "toy", Digest: fmt.Sprintf("sha256:%06d", i), Hour: hour - int64(i%2)},
			Counts: health.Counts{Calls: 1},
		}
	}
	if err := w.Store.AddHealth(t.Context(), rows, 0); err != nil {
		t.Fatal(err)
	}
	kept, err := w.Store.Health(t.Context(), hosttest.Project, 0)
	old := 0
	for _, r := range kept {
		if r.Cell.Hour < hour {
			old++
		}
	}
	if err != nil || len(kept) != health.RowsMax || old != health.RowsMax/2-25 {
		t.Errorf("%d rows are kept, %d of them old, %v", len(kept), old, err)
	}
}

func TestCodesThatAPluginInventsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	for i := range 1000 {
		w.call("toy", "sha256:a", time.Millisecond, failed(fmt.Sprintf("CODE_%d", i), contract.OriginPlugin))
	}
	w.call("toy", "sha256:a", time.Millisecond, failed(string(make([]byte, 5000)), contract.OriginPlugin))
	r := w.report("toy", health.Day)
	if len(r.Total.Codes) != 17 || r.Total.Codes[0].Code != "OTHER" || r.Total.Codes[0].Count != 985 || r.Total.LastFailure.Code != "OTHER" {
		t.Errorf("codes %+v", r.Total.Codes)
	}
}

// refusing is a store that cannot store at first.
type refusing struct {
	health.Store
	refusals int
	stored   chan []health.Row
}

func (s *refusing) AddHealth(ctx context.Context, rows []health.Row, keep int64) error {
	if s.refusals--; s.refusals >= 0 {
		s.stored <- nil
		return errors.New("disk full")
	}
	err := s.Store.AddHealth(ctx, rows, keep)
	s.stored <- rows
	return err
}

func TestWhatCannotBeStoredIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	store := &refusing{Store: w.Store, refusals: 1, stored: make(chan []health.Row, 1)}
	w.recorder = health.NewRecorder(health.Options{Store: store, Clock: w.clock, Logger: slog.New(slog.DiscardHandler)})
	w.service = health.NewService(w.recorder, w.Projects)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { w.recorder.Run(ctx); close(ended) }()
	w.call("toy", "sha256:a", time.Millisecond, done())
	w.clock.ticks <- w.clock.Now()
	<-store.stored
	if got := w.report("toy", health.Day).Total.Calls; got != 1 {
		t.Errorf("%d calls after a refusal", got)
	}
	w.clock.ticks <- w.clock.Now()
	if rows := <-store.stored; len(rows) != 1 || rows[0].Counts.Calls != 1 {
		t.Errorf("stored %+v", rows)
	}
	stop()
	<-ended
	if got := w.report("toy", health.Day).Total.Calls; got != 1 {
		t.Errorf("%d calls in the end", got)
	}
}

func TestCountingIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			own := &scripted{clock: newClock(), result: done()}
			own.result.Digest = "sha256:a"
			own.took = time.Millisecond
			e := w.recorder.Watch(own)
			for range 200 {
				e.Execute(t.Context(), runner.RunInfo{Project: hosttest.Project}, engine.Dispatch{Plugin: "toy"}, nil)
			}
		})
	}
	for range 5 {
		w.store()
	}
	wg.Wait()
	if got := w.report("toy", health.Day).Total.Calls; got != 1600 {
		t.Errorf("%d calls, want 1600", got)
	}
}

func TestReportsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	_, err := w.service.Plugin(t.Context(), hosttest.Project, "toy", "year")
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != fault.Invalid || e.Field != "/window" {
		t.Errorf("error %v", err)
	}
	if _, err := w.service.Summaries(t.Context(), "nowhere"); !fault.Is(err, fault.NotFound) {
		t.Errorf("error %v", err)
	}
	if r := w.report("unheard-of", health.Week); r.Total.Calls != 0 || r.Total.P99MS != 0 || len(r.Hours) != 7*24 {
		t.Errorf("report %+v", r.Total)
	}
}

func TestQuantilesAreNotTooShort(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	for _, took := range []time.Duration{0, 50 * time.Microsecond, time.Millisecond, 77 * time.Millisecond, 3 * time.Second, 5 * time.Hour} {
		digest := "sha256:" + took.String()
		w.call("toy", digest, took, done())
		w.call("toy", digest, 6*time.Hour, done()) // so that the median is not the longest
		for _, v := range w.report("toy", health.Week).Versions {
			if v.Digest != digest {
				continue
			}
			want := float64(took) / float64(time.Millisecond)
			if long := took > time.Hour; v.P50MS < want && !long || v.P50MS > max(want*1.2, 0.1) && !long {
				t.Errorf("%s is told as %v ms", took, v.P50MS)
			}
		}
	}
}

// BenchmarkCounting is what a call pays for being counted.
func BenchmarkCounting(b *testing.B) {
	p := hosttest.Open(b)
	e := &scripted{clock: newClock(), result: done()}
	e.result.Digest = "sha256:a"
	w := health.NewRecorder(health.Options{Store: p.Store, Clock: e.clock, Logger: slog.New(slog.DiscardHandler)}).Watch(e)
	run, d := runner.RunInfo{ID: "run-1", Project: hosttest.Project}, engine.Dispatch{Node: "n", Plugin: "toy"}
	for b.Loop() {
		w.Execute(b.Context(), run, d, nil)
	}
}
