package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// module is a plugin in one language. All have the exports execute, echo, park, spin and compute, and import nothing but
// Extism's functions and WASI's.
type module struct {
	name string
	wasm []byte
}

// build builds the plugin of each language whose compiler is here, and says which is missing.
func build(ctx context.Context, dir string) ([]module, error) {
	var built []module
	for _, l := range []struct {
		name string
		env  []string
		args []string
	}{
		{"go", []string{"GOOS=wasip1", "GOARCH=wasm"}, []string{"go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-w", "-o", "{}", "./guest/go"}},
		{"c", nil, []string{"clang", "--target=wasm32-wasi", "-O2", "-mexec-model=reactor", "-Wl,--strip-all", "-o", "{}", "guest/c/guest.c"}},
		{"rust", nil, []string{
			"/usr/bin/rustc", "--edition=2021", "--crate-type=cdylib", "--target=wasm32-unknown-unknown", "-Copt-level=2", "-Clto=fat",
			"-Cpanic=abort", "-Cstrip=symbols", "-Clinker=wasm-ld", "-o", "{}", "guest/rust/guest.rs",
		}},
	} {
		out := filepath.Join(dir, l.name+".wasm")
		for i, a := range l.args {
			if a == "{}" {
				l.args[i] = out
			}
		}
		cmd := exec.CommandContext(ctx, l.args[0], l.args[1:]...)
		cmd.Env = append(os.Environ(), l.env...)
		if text, err := cmd.CombinedOutput(); err != nil {
			fmt.Printf("# no module in %s: %v %s\n", l.name, err, firstLine(string(text)))
			continue
		}
		b, err := os.ReadFile(out)
		if err != nil {
			return nil, err
		}
		fmt.Printf("# module in %s: %d KiB\n", l.name, len(b)>>10)
		built = append(built, module{l.name, b})
	}
	return built, nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// input is a JSON document of about size bytes.
func input(size int) []byte {
	var b strings.Builder
	b.WriteString(`{"items":[`)
	for i := 0; b.Len() < size-90 || i == 0; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"name":"service-%d.example","count":%d,"tags":["production","zone-%d"]}`, i, i*7, i%5)
	}
	b.WriteString(`]}`)
	return []byte(b.String())
}
