package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/config"
	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/host/wasm/confine"
	"github.com/culmhq/culm/host/wasm/wire"
)

// TestAPluginThatNobodyVouchesForRunsInAWorker: a shipped plugin runs in the server, the
// same code under another name in a process of its own, and nobody can tell from the run.
func TestAPluginThatNobodyVouchesForRunsInAWorker(t *testing.T) {
	t.Parallel()
	s := start(t, false, "core")
	s.publish(using("core"))
	s.published.wait(t, s.run("using", nil), "first succeeded", "ask waiting")
	if n := s.WorkerProcesses(); n != 0 {
		t.Errorf("%d worker processes for a shipped plugin", n)
	}
	s.upload(variant(t, "ticket", "1.0.0"), "", http.StatusCreated)
	s.publish(strings.ReplaceAll(using("ticket"), `"using"`, `"stranger"`))
	run := s.run("stranger", nil)
	s.published.wait(t, run, "first succeeded", "ask waiting")
	if n := s.WorkerProcesses(); n != 1 {
		t.Errorf("%d worker processes for one strange plugin", n)
	}
	s.approveAsk(run)
	s.published.wait(t, run, "second succeeded", "run succeeded")
}

// uncaged is a worker process that nothing holds: what it tries succeeds.
func uncaged() int {
	if _, err := wire.NewReader(os.Stdin, 1<<20).Next(); err != nil {
		return 1
	}
	body, err := json.Marshal(map[string]any{"attempts": []confine.Attempt{{Name: "open culm.db"}, {Name: "connect", Refused: "no"}}})
	if err != nil || wire.NewWriter(os.Stdout).Send(wire.Ready, 0, body) != nil {
		return 1
	}
	return 0
}

// TestUnsignedPluginsAreRefusedWhereAWorkerReachesTheDatabase: by default, and said in
// the log; the operator may decide otherwise.
func TestUnsignedPluginsAreRefusedWhereAWorkerReachesTheDatabase(t *testing.T) {
	t.Parallel()
	for value, status := range map[string]int{config.UncontainedRefuse: http.StatusForbidden, config.UncontainedRun: http.StatusCreated} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			s := start(t, false, "core")
			s.stop()
			var log lockedBuffer
			s.deps.Logger = slog.New(slog.NewTextHandler(&log, nil))
			s.cfg.Trust.Uncontained = value
			s.deps.Worker = func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, os.Getenv(envBin), "__uncaged") }
			s.start()
			_, text := s.upload(variant(t, "ticket", "1.0.0"), "", status)
			if status == http.StatusForbidden && !strings.Contains(text, "SIGNATURE_POLICY") {
				t.Errorf("refused with %s", text)
			}
			if out := log.String(); !strings.Contains(out, `succeeded="[open culm.db]"`) || !strings.Contains(out, "level=WARN") {
				t.Errorf("the log says %s", out)
			}
		})
	}
}

// TestTheStartTellsWhichLayersThereAre: one line of the log, from what was tried.
func TestTheStartTellsWhichLayersThereAre(t *testing.T) {
	t.Parallel()
	s := start(t, false, "core")
	s.stop()
	var log lockedBuffer
	s.deps.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s.start()
	for _, want := range []string{"layers around plugins", "no_network=", "no_other_processes=", "filter_of_system_calls=", "limits=true", "attempts_to_get_out=15"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %s: %s", want, log.String())
		}
	}
}

// TestTheDefaultsOfTheConfigurationAreThoseOfThePluginHost: what nobody configured is what
// the host does by itself.
func TestTheDefaultsOfTheConfigurationAreThoseOfThePluginHost(t *testing.T) {
	t.Parallel()
	if got, want := app.LimitsOf(config.Default().Limits), wasm.DefaultLimits(); got != want {
		t.Errorf("configured %+v\nthe host's %+v", got, want)
	}
}

// lockedBuffer is a buffer that a logger may write to from anywhere.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
