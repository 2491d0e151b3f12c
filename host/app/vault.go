package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/culmhq/culm/host/audit"
	"github.com/culmhq/culm/host/config"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/store"
)

// alarmTimeout bounds the entry of an alarm in the audit.
const alarmTimeout = 10 * time.Second

// openVault opens the vault with the keys that the configuration names.
func (c *Core) openVault(ctx context.Context, cfg config.Config, st *store.Store) (*secrets.Vault, error) {
	master, err := secrets.ParseSource(cfg.Secrets.MasterKey)
	if err != nil {
		return nil, fmt.Errorf("app: secrets.master_key %w", err)
	}
	former, err := secrets.ParseSource(cfg.Secrets.FormerMasterKey)
	if err != nil {
		return nil, fmt.Errorf("app: secrets.former_master_key %w", err)
	}
	return secrets.OpenWith(ctx, secrets.Options{
		KeyFile: cfg.Secrets.Path(cfg.Data), Master: master, Former: former, Outside: secrets.Outside{Getenv: c.deps.Getenv},
		Rows: st.Secrets(), Clock: clock{}, Logger: c.deps.Logger, Alarm: (&alarms{core: c}).raise,
	})
}

// secretsTo tells which modules may be handed secrets: those that came with the program or
// that a trusted key signed now, and those that the configuration names.
func (c *Core) secretsTo(approved []string) func(digest string) bool {
	return func(digest string) bool {
		return slices.Contains(approved, config.ApprovedAny) || slices.Contains(approved, digest) || c.Plugins.Trusted(digest)
	}
}

// secretsToLatest tells it of the version of a plugin that a start would take now. A plugin
// that is not there is said elsewhere.
func (c *Core) secretsToLatest(approved []string) func(plugin string) bool {
	may := c.secretsTo(approved)
	return func(plugin string) bool {
		m, ok := c.Plugins.Latest(plugin)
		return !ok || may(m.Digest)
	}
}

// alarms enters in the audit that a stored secret does not open, once for each row while
// the program runs: calls that need it may be many.
type alarms struct {
	core *Core

	mu     sync.Mutex
	raised map[secrets.Alarm]bool
}

func (a *alarms) raise(at secrets.Alarm) {
	if a.core.metrics != nil {
		a.core.metrics.SecretUnopened()
	}
	a.mu.Lock()
	first := !a.raised[at]
	if a.raised == nil {
		a.raised = map[secrets.Alarm]bool{}
	}
	a.raised[at] = true
	a.mu.Unlock()
	if !first || a.core.Audit == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), alarmTimeout)
	defer cancel()
	e := audit.Entry{
		Actor: "culm", Project: at.Project, Action: "secrets.unopened",
		Subject: map[string]string{"kind": at.Kind, "id": at.ID, "version": fmt.Sprint(at.Version)},
	}
	changed := fault.New(fault.Internal, "a stored secret does not open")
	err := a.core.Audit.Act(ctx, e, func(context.Context) error { return changed })
	if !errors.Is(err, changed) || errors.Is(err, audit.ErrUnwritable) {
		a.core.deps.Logger.ErrorContext(ctx, "the audit does not tell that a stored secret does not open", slog.Any("error", err))
	}
}
