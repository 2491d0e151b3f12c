package app

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"github.com/culmhq/culm/host/config"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/host/wasm/confine"
	"github.com/culmhq/culm/pdk/contract"
)

// modules lets the executor call modules by their digest, and fetches from the
// catalogue what is not loaded yet. It alone knows where a call runs: in this process
// where somebody vouches for the module, else in a worker process.
type modules struct {
	host      *wasm.Host
	catalogue *plugins.Catalogue
}

// Call implements runs.Modules.
func (m modules) Call(ctx context.Context, c runs.ModuleCall) ([]byte, error) {
	call := wasm.Call{
		Export: c.Export, Input: c.Input, Config: c.Config, Services: c.Services, Limits: c.Limits, RecordBytes: c.RecordBytes,
	}
	where := m.isolated
	if m.catalogue.Trusted(c.Digest) {
		where = m.here
	}
	r, err := where(ctx, c, call)
	if r.Recording != nil {
		c.Recorded(r.Recording)
	}
	return r.Output, err
}

// here makes a call in this process.
func (m modules) here(ctx context.Context, c runs.ModuleCall, call wasm.Call) (wasm.Result, error) {
	mod, ok := m.host.Loaded(c.Digest)
	if !ok {
		code, err := m.catalogue.Code(ctx, c.Digest)
		if err != nil {
			return wasm.Result{}, err
		}
		if mod, err = m.host.Load(ctx, c.Digest, code); err != nil {
			return wasm.Result{}, err
		}
	}
	return mod.Call(ctx, call)
}

// isolated makes a call in a worker process of the project.
func (m modules) isolated(ctx context.Context, c runs.ModuleCall, call wasm.Call) (wasm.Result, error) {
	workers := m.host.Workers()
	if workers == nil {
		return wasm.Result{}, &contract.Failure{
			Code: plugins.CodeSignaturePolicy, Origin: contract.OriginHost,
			Message: "nobody vouches for plugin " + c.Plugin + ", and there are no worker processes to run it in",
		}
	}
	return workers.Call(ctx, wasm.Isolated{
		Digest: c.Digest, Tenant: c.Project,
		Code: func(ctx context.Context) ([]byte, error) { return m.catalogue.Code(ctx, c.Digest) },
	}, call)
}

// loaded tells what modules take in memory, in both tiers.
func loaded(h *wasm.Host) func(string) plugins.Loaded {
	return func(digest string) plugins.Loaded {
		l := plugins.Loaded{}
		if m, ok := h.Loaded(digest); ok {
			l.ServerBytes = m.LoadedBytes()
		}
		if ws := h.Workers(); ws != nil {
			l.Workers, l.WorkerBytes = ws.Resident(digest)
		}
		return l
	}
}

// contained finds out, by trying, what holds a plugin that broke out of WebAssembly in a
// worker process, tells the log, and reports whether it could reach nothing of Culm's.
func contained(ctx context.Context, cfg config.Config, h *wasm.Host, log *slog.Logger) bool {
	if h.Workers() == nil {
		log.WarnContext(ctx, "there are no worker processes for plugins that nobody vouches for")
		return false
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		log.ErrorContext(ctx, "the worker processes could not be tried out", slog.Any("error", err))
		return false
	}
	defer ln.Close() //nolint:errcheck // nobody was served
	r, err := h.Workers().Report(ctx, confine.Target{
		Parent: os.Getpid(), Address: ln.Addr().String(),
		Files: []string{filepath.Join(cfg.Data, databaseFile), cfg.Secrets.Path(cfg.Data)},
	})
	if err != nil {
		log.ErrorContext(ctx, "the worker processes could not be tried out", slog.Any("error", err))
		return false
	}
	level := slog.LevelInfo
	if !r.Contained() {
		level = slog.LevelWarn
	}
	log.Log(ctx, level, "layers around plugins that nobody vouches for: a worker process of their own, and in it",
		slog.Bool("no_network", r.Network), slog.Bool("no_other_processes", r.Processes), slog.Bool("filter_of_system_calls", r.Syscalls),
		slog.Bool("limits", r.Limits), slog.Int("attempts_to_get_out", len(r.Attempts)), slog.Any("succeeded", r.Escaped))
	return r.Contained()
}

// careful returns what is asked of plugins: where a worker process could reach what is
// Culm's, only what a trusted key signed is installed and run, unless the operator
// decided otherwise.
func careful(ctx context.Context, cfg config.Config, h *wasm.Host, log *slog.Logger, t plugins.Trust) plugins.Trust {
	if contained(ctx, cfg, h, log) || cfg.Trust.Uncontained == config.UncontainedRun || t.Policy == plugins.PolicyRequired {
		return t
	}
	log.WarnContext(ctx, "only plugins signed by a trusted key are installed and run: a worker process could reach the database "+
		"(trust.uncontained: run changes that)")
	t.Policy = plugins.PolicyRequired
	return t
}
