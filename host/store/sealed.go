package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/secrets"
)

// sealedTable is a table with a column cipher, and the columns of its primary key.
type sealedTable struct {
	name string
	key  []string
}

// sealedTables lists every table that holds ciphertexts.
func sealedTables() []sealedTable {
	return []sealedTable{
		{"secret_canary", []string{"id"}},
		{"secret_mac_key", []string{"id"}},
		{"credential_versions", []string{"project", "system", "version"}},
		{"project_secrets", []string{"project", "name"}},
		{"run_secrets", []string{"run", "name", "version"}},
	}
}

// rewrapBatch is how many rows are sealed anew in one write.
const rewrapBatch = 100

// keyPrefix is where in a ciphertext its sealed data key begins, counted from 1.
const keyPrefix = 5

// SealedHeads implements secrets.KeyRows.
func (s Secrets) SealedHeads(ctx context.Context) (map[string]int, error) {
	all := map[string]int{}
	for _, t := range sealedTables() {
		rows, err := s.db.Read().QueryContext(ctx, `SELECT substr(cipher, 1, ?), count(*) FROM `+t.name+` GROUP BY 1`, secrets.HeadBytes)
		if err != nil {
			return nil, fmt.Errorf("store: what is sealed in %s: %w", t.name, err)
		}
		_, err = collect(rows, func(r scanner) (struct{}, error) {
			var head []byte
			var n int
			err := r.Scan(&head, &n)
			all[string(head)] += n
			return struct{}{}, err
		})
		if err != nil {
			return nil, fmt.Errorf("store: what is sealed in %s: %w", t.name, err)
		}
	}
	return all, nil
}

// Rewrap implements secrets.KeyRows.
func (s Secrets) Rewrap(ctx context.Context, prefix []byte, seal func([]byte) ([]byte, error)) (done, bad int, err error) {
	for _, t := range sealedTables() {
		var after []any
		for {
			b := batch{table: t, prefix: prefix, seal: seal, after: after}
			err := s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error { return b.run(ctx, tx) })
			if err != nil {
				return done, bad, fmt.Errorf("store: seal the rows of %s anew: %w", t.name, err)
			}
			done, bad, after = done+b.done, bad+b.bad, b.last
			if b.seen < rewrapBatch {
				break
			}
		}
	}
	return done, bad, nil
}

// batch is some rows of a table that are sealed anew in one write.
type batch struct {
	table  sealedTable
	prefix []byte
	seal   func([]byte) ([]byte, error)
	after  []any // key of the last row of the batch before

	last            []any
	seen, done, bad int
}

// sealedRow is a row by its key.
type sealedRow struct {
	key    []any
	cipher []byte
}

func (b *batch) run(ctx context.Context, tx *sqlite.Tx) error {
	b.seen, b.done, b.bad, b.last = 0, 0, 0, nil // a write may be made again
	key := strings.Join(b.table.key, ", ")
	where, args := `substr(cipher, ?, ?) <> ?`, []any{keyPrefix, len(b.prefix), b.prefix}
	if b.after != nil {
		where += ` AND (` + key + `) > (?` + strings.Repeat(", ?", len(b.table.key)-1) + `)`
		args = append(args, b.after...)
	}
	rows, err := tx.QueryContext(ctx, `SELECT cipher, `+key+` FROM `+b.table.name+` WHERE `+where+` ORDER BY `+key+` LIMIT ?`, append(args, rewrapBatch)...)
	if err != nil {
		return err
	}
	found, err := collect(rows, func(r scanner) (sealedRow, error) {
		row := sealedRow{key: make([]any, len(b.table.key))}
		to := []any{&row.cipher}
		for i := range row.key {
			to = append(to, &row.key[i])
		}
		return row, r.Scan(to...)
	})
	if err != nil {
		return err
	}
	update := `UPDATE ` + b.table.name + ` SET cipher = ? WHERE ` + strings.Join(b.table.key, " = ? AND ") + ` = ?`
	for _, row := range found {
		b.seen, b.last = b.seen+1, row.key
		cipher, err := b.seal(row.cipher)
		if err != nil {
			b.bad++
			continue
		}
		if _, err := tx.ExecContext(ctx, update, append([]any{cipher}, row.key...)...); err != nil {
			return err
		}
		b.done++
	}
	return nil
}

// EachSealed implements secrets.KeyRows.
func (s Secrets) EachSealed(ctx context.Context, see secrets.Visitor) error {
	creds, err := s.credentials(ctx, `1 = 1`)
	if err != nil {
		return err
	}
	for _, c := range creds {
		see.Credential(c)
	}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT project, name, version, cipher FROM project_secrets ORDER BY project, name`)
	if err != nil {
		return fmt.Errorf("store: secrets of projects: %w", err)
	}
	_, err = collect(rows, func(r scanner) (struct{}, error) {
		var v secrets.ProjectValue
		err := r.Scan(&v.Project, &v.Name, &v.Version, &v.Cipher)
		if err == nil {
			see.Project(v)
		}
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("store: secrets of projects: %w", err)
	}
	rows, err = s.db.Read().QueryContext(ctx, `SELECT project, run, name, version, cipher FROM run_secrets ORDER BY run, name, version`)
	if err != nil {
		return fmt.Errorf("store: secrets of runs: %w", err)
	}
	_, err = collect(rows, func(r scanner) (struct{}, error) {
		var v secrets.RunValue
		err := r.Scan(&v.Project, &v.Run, &v.Name, &v.Version, &v.Cipher)
		if err == nil {
			see.Run(v)
		}
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("store: secrets of runs: %w", err)
	}
	return nil
}
