package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/hosttest"
)

// BenchmarkAudit is how many calls a second are entered into the audit, each before its caller
// goes on, by 64 callers at once. The limit is what SQLite does with rows of the same size, 64
// a transaction and each transaction durable, on the same disk in the same run, without a
// chain, an index or anybody who waits.
func BenchmarkAudit(b *testing.B) {
	const callers = 64
	p := hosttest.Open(b)
	var next atomic.Int64
	enter := func(n int) time.Duration {
		start, last := time.Now(), next.Load()+int64(n)
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				for i := next.Add(1); i <= last; i = next.Add(1) {
					row := gateway.AuditRow{
						At: auditedAt(), Project: "demo", Run: fmt.Sprint("run-", i), Flow: "flow", Node: "node", Attempt: 1, Call: 1, Actor: "ada",
						Plugin: "http", Digest: "sha256:" + strings.Repeat("0", 64), System: "cmdb", Operation: "find", Method: "GET", CredentialID: "c1",
						RequestHash: "sha256:" + strings.Repeat("1", 64), HTTPStatus: 200, Duration: 1234 * time.Microsecond,
					}
					if err := p.Store.Audit().Append(b.Context(), row); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
		next.Store(last)
		return time.Since(start)
	}
	enter(callers)
	var size int
	if err := p.DB.Read().QueryRowContext(b.Context(), `SELECT length(entry) + length(hash) FROM audit ORDER BY seq DESC LIMIT 1`).Scan(&size); err != nil {
		b.Fatal(err)
	}
	bare := bareRows(b, size)
	var ours, limit, cpu time.Duration
	rows := 0
	b.ResetTimer()
	for rows < b.N {
		before := processorTime(b)
		ours += enter(16 * callers)
		cpu += processorTime(b) - before
		limit += bare(16, callers)
		rows += 16 * callers
	}
	b.StopTimer()
	b.ReportMetric(float64(rows)/ours.Seconds(), "entries/s")
	b.ReportMetric(float64(rows)/limit.Seconds(), "limit_entries/s")
	b.ReportMetric(limit.Seconds()/ours.Seconds(), "of_limit")
	b.ReportMetric(float64(cpu.Microseconds())/float64(rows), "cpu-us")
}

// processorTime is what the process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// bareRows opens a database of SQLite alone, and returns what writes so many transactions of so
// many rows to it.
func bareRows(b *testing.B, size int) func(transactions, rows int) time.Duration {
	b.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(b.TempDir(), "bare.db")+"?_journal_mode=WAL&_synchronous=FULL&_locking_mode=EXCLUSIVE")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(b.Context(), `CREATE TABLE t (id INTEGER PRIMARY KEY, body BLOB)`); err != nil {
		b.Fatal(err)
	}
	insert, err := db.PrepareContext(b.Context(), `INSERT INTO t (body) VALUES (?)`)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = insert.Close() })
	body := make([]byte, size)
	return func(transactions, rows int) time.Duration {
		start := time.Now()
		for range transactions {
			tx, err := db.BeginTx(context.Background(), nil)
			if err != nil {
				b.Fatal(err)
			}
			st := tx.StmtContext(context.Background(), insert) //nolint:sqlclosecheck // a statement of a transaction ends with it
			for range rows {
				if _, err := st.ExecContext(context.Background(), body); err != nil {
					b.Fatal(err)
				}
			}
			if err := tx.Commit(); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(start)
	}
}
