package engine_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
)

// TestGoldenRecords loads and replays the histories of every released format. The
// files are never written anew: a program that cannot read them cannot read its users'
// databases. A new format adds a directory.
func TestGoldenRecords(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob("testdata/golden/v*")
	if err != nil || len(dirs) != engine.RecordFormat {
		t.Fatalf("%d formats have golden files, there are %d: %v", len(dirs), engine.RecordFormat, err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			flow, err := engine.ParseFlow(readFile(t, dir, "flow.json"))
			if err != nil {
				t.Fatal(err)
			}
			g := mustCompile(t, flow)
			if got, want := g.Digest(), strings.TrimSpace(string(readFile(t, dir, "digest.txt"))); got != want {
				t.Errorf("the digest of a stored document changed: %s, was %s", got, want)
			}
			lines := bytes.Split(bytes.TrimSpace(readFile(t, dir, "records.jsonl")), []byte("\n"))
			records := make([]engine.Record, len(lines))
			kinds := map[engine.Kind]bool{}
			for i, line := range lines {
				if records[i], err = engine.DecodeRecord(line); err != nil {
					t.Fatalf("%s: %v", line, err)
				}
				kinds[records[i].Kind] = true
				if again := engine.AppendRecord(nil, records[i]); !bytes.Equal(again, line) {
					t.Errorf("record is written otherwise:\n%s\n%s", line, again)
				}
			}
			least := 9
			if dir == dirs[len(dirs)-1] {
				least = 13 // every kind that there is
			}
			if len(kinds) < least {
				t.Errorf("the history has %d kinds of records", len(kinds))
			}
			if err := engine.CheckHistory(g, records); err != nil {
				t.Error(err)
			}
			s, err := engine.Replay(g, records)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := compact(s.View()), strings.TrimSpace(string(readFile(t, dir, "view.json"))); got != want {
				t.Errorf("state:\n%s\nwas\n%s", got, want)
			}
		})
	}
}

func readFile(t *testing.T, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRecordRefusals: what a program must not read as if it understood it.
func TestRecordRefusals(t *testing.T) {
	t.Parallel()
	good := string(engine.AppendRecord(nil, engine.Record{Seq: 1, Kind: engine.KindRunStarted, Data: engine.RunStarted{Format: 1, Run: "r"}}))
	if _, err := engine.DecodeRecord([]byte(good)); err != nil {
		t.Fatal(err)
	}
	var format *engine.FormatError
	var kind *engine.KindError
	if _, err := engine.DecodeRecord([]byte(strings.Replace(good, `"format":1`, `"format":3,"future":true`, 1))); !errors.As(err, &format) || format.Format != 3 {
		t.Errorf("newer format: %v", err)
	}
	if _, err := engine.DecodeRecord([]byte(strings.Replace(good, `"run.started"`, `"run.teleported"`, 1))); !errors.As(err, &kind) || kind.Kind != "run.teleported" {
		t.Errorf("unknown kind: %v", err)
	}
	for _, bad := range []string{``, `{}`, `[]`, strings.Replace(good, `"run"`, `"runner"`, 1), strings.Replace(good, `"seq"`, `"sequence"`, 1)} {
		if _, err := engine.DecodeRecord([]byte(bad)); err == nil {
			t.Errorf("%s: accepted", bad)
		}
	}
}

// FuzzDecodeRecord: what is read is written the same way, and read again.
func FuzzDecodeRecord(f *testing.F) {
	for line := range strings.Lines(string(mustRead(f, "testdata/golden/v1/records.jsonl"))) {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := engine.DecodeRecord(b)
		if err != nil {
			return
		}
		one := engine.AppendRecord(nil, r)
		if !json.Valid(one) {
			t.Fatalf("not JSON: %s", one)
		}
		again, err := engine.DecodeRecord(one)
		if err != nil {
			t.Fatalf("%v\n%s", err, one)
		}
		if two := engine.AppendRecord(nil, again); !bytes.Equal(one, two) {
			t.Fatalf("written twice:\n%s\n%s", one, two)
		}
	})
}

func mustRead(f *testing.F, path string) []byte {
	f.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	return b
}
