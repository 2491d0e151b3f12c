package app

import (
	"cmp"
	"context"
	"path/filepath"
	"time"

	"github.com/culmhq/culm/host/audit"
	"github.com/culmhq/culm/host/config"
	"github.com/culmhq/culm/host/store"
)

// lastAnchor bounds the time of the anchor that a program sets when it ends.
const lastAnchor = 5 * time.Second

// openAudit makes the use cases of the audit, compares the audit with its last anchor, and has the place where the program
// ends anchored.
func (c *Core) openAudit(ctx context.Context, cfg config.Config, st *store.Store) error {
	c.Audit = audit.NewService(st, c.Projects, clock{}.Now)
	files := AuditFilesOf(cfg)
	anchors, err := audit.OpenAnchors(files.Anchors, files.Key)
	if err != nil {
		return err
	}
	c.auditor = audit.NewKeeper(audit.KeeperOptions{
		Log: st, Anchors: anchors, Clock: clock{}, Logger: c.deps.Logger, Every: cfg.Audit.AnchorEvery, Keep: cfg.Audit.Keep,
	})
	if err := c.auditor.Check(ctx); err != nil {
		return err
	}
	c.closers = append(c.closers, func() error {
		ending, cancel := context.WithTimeout(context.Background(), lastAnchor)
		defer cancel()
		return c.auditor.Anchor(ending)
	})
	return nil
}

// AuditFiles are where the parts of an audit lie: what verifies it reads them, and needs
// no server.
type AuditFiles struct {
	Database, Anchors, Key string
}

// AuditFilesOf returns the files of an installation.
func AuditFilesOf(cfg config.Config) AuditFiles {
	return AuditFiles{
		Database: filepath.Join(cfg.Data, databaseFile),
		Anchors:  cmp.Or(cfg.Audit.Anchors, filepath.Join(cfg.Data, anchorFile)),
		Key:      filepath.Join(cfg.Data, anchorKey),
	}
}
