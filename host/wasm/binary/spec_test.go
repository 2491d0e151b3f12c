package binary

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// runtimeDir is where the source of the WebAssembly runtime is, with its tests.
func runtimeDir(tb testing.TB) string {
	tb.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// specCommand is a step of a script of the specification's tests.
type specCommand struct {
	Type     string `json:"type"`
	Line     int    `json:"line"`
	Filename string `json:"filename"`
	Action   struct {
		Type   string      `json:"type"`
		Field  string      `json:"field"`
		Module string      `json:"module"`
		Args   []specValue `json:"args"`
	} `json:"action"`
}

type specValue struct {
	Type  string `json:"type"`
	Lane  string `json:"lane_type"`
	Value any    `json:"value"`
}

// words is the value as the runtime's calls take it.
func (v specValue) words() ([]uint64, error) {
	if v.Type != "v128" {
		text := fmt.Sprint(v.Value)
		if text == "null" {
			return []uint64{0}, nil
		}
		n, err := strconv.ParseUint(text, 10, 64)
		if v.Type == "externref" {
			n++ // null is zero
		}
		return []uint64{n}, err
	}
	lanes, ok := v.Value.([]any)
	if !ok {
		return nil, strconv.ErrSyntax
	}
	words, width := make([]uint64, 2), 128/len(lanes)
	for i, lane := range lanes {
		n, err := strconv.ParseUint(fmt.Sprint(lane), 10, 64)
		if err != nil {
			return nil, err
		}
		words[i*width/64] |= n << (i * width % 64)
	}
	return words, nil
}

// The modules of the specification's tests, as the runtime carries them, do the same
// after the rewrite: every call of every script ends alike and leaves the same memory.
func TestSpecificationModulesAgree(t *testing.T) {
	t.Parallel()
	root := filepath.Join(runtimeDir(t), "internal", "integration_test", "spectest")
	scripts, err := filepath.Glob(filepath.Join(root, "v[12]", "testdata", "*.json"))
	if err != nil || len(scripts) < 100 {
		t.Fatalf("%d scripts: %v", len(scripts), err)
	}
	for i, path := range scripts {
		name := filepath.Base(filepath.Dir(filepath.Dir(path))) + "/" + strings.TrimSuffix(filepath.Base(path), ".json")
		if (testing.Short() || raceDetector) && i%16 != 0 {
			continue
		}
		t.Run(name, func(t *testing.T) { agreeOnScript(t, path) })
	}
}

// agreeOnScript runs one script on the modules that the parser accepts.
func agreeOnScript(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var script struct {
		Commands []specCommand `json:"commands"`
	}
	if err := json.Unmarshal(text, &script); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	var now *twins
	modules, calls := 0, 0
	for _, c := range script.Commands {
		switch c.Type {
		case "module":
			if err := now.close(ctx); err != nil {
				t.Fatal(err)
			}
			module, err := os.ReadFile(filepath.Join(filepath.Dir(path), c.Filename))
			if err != nil {
				t.Fatal(err)
			}
			if now, err = newTwins(ctx, module); err != nil && strings.Contains(err.Error(), "the rewritten module is not") {
				t.Fatalf("line %d: %v", c.Line, err)
			}
			if err == nil {
				modules++
				for i, s := range now.starts {
					if s != now.starts[0] {
						t.Fatalf("line %d: start %d ended with %s, the original's with %s", c.Line, i, s, now.starts[0])
					}
				}
			}
		case "action", "assert_return", "assert_trap", "assert_exhaustion":
			if now == nil || len(now.insts) == 0 || now.insts[0] == nil || c.Action.Type != "invoke" || c.Action.Module != "" {
				continue
			}
			if args, ok := specArgs(c.Action.Args); ok {
				now.agree(ctx, t, c.Action.Field, args)
				calls++
			}
		}
	}
	if err := now.close(ctx); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d modules, %d calls", modules, calls)
}

func specArgs(values []specValue) ([]uint64, bool) {
	var args []uint64
	for _, v := range values {
		words, err := v.words()
		if err != nil {
			return nil, false
		}
		args = append(args, words...)
	}
	return args, true
}

// The modules with which the runtime's own fuzzing found defects are treated alike:
// every export without parameters ends the same way after the rewrite.
func TestModulesOfRuntimeDefectsAgree(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(runtimeDir(t), "internal", "integration_test", "fuzzcases", "testdata", "*.wasm"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d modules: %v", len(files), err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			module, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			tw, err := newTwins(t.Context(), module)
			defer tw.close(t.Context())
			if err != nil {
				if strings.Contains(err.Error(), "the rewritten module is not") {
					t.Fatal(err)
				}
				t.Skip(err)
			}
			if tw.insts[0] == nil {
				return
			}
			for _, name := range sortedKeys(tw.insts[0].ExportedFunctionDefinitions()) {
				d := tw.insts[0].ExportedFunctionDefinitions()[name]
				tw.agree(t.Context(), t, name, make([]uint64, len(d.ParamTypes())))
			}
		})
	}
}
