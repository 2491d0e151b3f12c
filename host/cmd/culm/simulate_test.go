package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine/simulate"
	shipped "github.com/culmhq/culm/plugins-wasm"
)

// TestTheExampleOfTheGuide runs the flow and the script of docs/simulate.md; what comes
// out is what the guide shows. -update writes it there.
func TestTheExampleOfTheGuide(t *testing.T) {
	t.Parallel()
	if _, err := fs.Stat(shipped.Files, "demo.wasm"); err != nil {
		t.Skip("the plugins are not built")
	}
	const guide = "../../../docs/simulate.md"
	text, err := os.ReadFile(guide)
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```(yaml|text)\n(.*?)^```$").FindAllSubmatchIndex(text, -1)
	if len(blocks) != 3 {
		t.Fatalf("%d blocks, want a flow, a script and an output", len(blocks))
	}
	dir := t.TempDir()
	block := func(i int) string { return string(text[blocks[i][4]:blocks[i][5]]) }
	for i, name := range []string{"release.yaml", "rehearsal.yaml"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(block(i)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"simulate", filepath.Join(dir, "release.yaml"), "--script", filepath.Join(dir, "rehearsal.yaml"), "--timeline"},
		outside{out: &out, err: &errs, environ: []string{"LANG=C.UTF-8"}})
	if code != exitOK || errs.Len() > 0 {
		t.Fatalf("exit code %d: %s%s", code, out.String(), errs.String())
	}
	if *update {
		next := string(text[:blocks[2][4]]) + out.String() + string(text[blocks[2][5]:])
		if err := os.WriteFile(guide, []byte(next), 0o644); err != nil { //nolint:gosec // a file of the repository
			t.Fatal(err)
		}
		return
	}
	if out.String() != block(2) {
		t.Errorf("the guide shows something else; got\n%s", out.String())
	}
}

func TestLongStretchesOfNothingAreDrawnShort(t *testing.T) {
	t.Parallel()
	const hour = 3_600_000
	for name, c := range map[string]struct {
		elapsed int64
		gaps    []simulate.Gap
		ms      int64
		column  float64
	}{
		"without gaps":               {1000, nil, 500, 20},
		"a short gap keeps its size": {1000, []simulate.Gap{{FromMS: 400, ToMS: 600}}, 600, 24},
		"before a long gap":          {2*hour + 1000, []simulate.Gap{{FromMS: 500, ToMS: 500 + 2*hour}}, 500, 17.5},
		"behind a long gap":          {2*hour + 1000, []simulate.Gap{{FromMS: 500, ToMS: 500 + 2*hour}}, 500 + 2*hour, 22.5},
		"nothing but a gap":          {hour, []simulate.Gap{{ToMS: hour}}, hour / 2, 20},
		"nothing at all":             {0, nil, 0, 0},
	} {
		if got := newAxis(c.elapsed, c.gaps, 40).column(c.ms); got != c.column {
			t.Errorf("%s: column %v, want %v", name, got, c.column)
		}
	}
}

func TestVirtualTimesAreShort(t *testing.T) {
	t.Parallel()
	for ms, want := range map[int64]string{
		0: "0s", 7: "7ms", 1000: "1s", 1500: "1.5s", 59_999: "60s", 60_000: "1m", 90_000: "1m30s", 3_600_000: "1h", 5_400_000: "1h30m",
		172_800_000: "2d", 180_000_000: "2d2h", 31_622_400_000: "366d",
	} {
		if got := virtual(ms); got != want || len(got) > 8 {
			t.Errorf("%d ms: %s, want %s", ms, got, want)
		}
	}
}

func TestManyGapsLeaveRoomForTheRest(t *testing.T) {
	t.Parallel()
	var gaps []simulate.Gap
	at := int64(0)
	for range 30 {
		gaps = append(gaps, simulate.Gap{FromMS: at + 10, ToMS: at + 100_000})
		at += 100_000
	}
	a := newAxis(at, gaps, 40)
	line, times := a.ruler()
	if n := len([]rune(line)); n != 40 || !strings.HasPrefix(times, "0s") {
		t.Errorf("%d columns: %s %s", n, line, times)
	}
	if first, last := a.cells(at-5, at); first < 0 || last != 39 {
		t.Errorf("cells %d to %d", first, last)
	}
}
