// Command bench measures what calls of plugins cost, next to raw calls of the runtime and to extism/go-sdk, on the same
// modules and by turns: on a machine that does other things, too, only what is measured in the same moment can be compared.
// It fails on no figure. `make bench` runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/culmhq/culm/host/wasm"
)

// bench is what the sections share.
type bench struct {
	dir     string        // scratch
	budget  time.Duration // for one comparison
	modules []module
}

// section is a group of figures.
type section struct {
	name, title string
	run         func(context.Context, *bench) error
}

func sections() []section {
	return []section{
		{"calls", "a call: ratios to the raw call of the same export by the bare runtime, in an instance that keeps its state", calls},
		{"parallel", "calls per second, 100 B, fresh state", parallel},
		{"tiers", "calls per second in this process and in worker processes, fresh state", tiers},
		{"cold", "from the module's bytes to the first answer", cold},
		{"memory", "resident memory of 1,000 instances that each served a call, per instance", memory},
		{"interrupt", "what being stoppable costs: the module with yields to the module as it is, by the bare runtime", interruption},
		{"stop", "how long after its deadline a runaway guest ends", stops},
	}
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "__compile" {
		os.Exit(wasm.CompilerMain(os.Stdin, os.Stdout))
	}
	if len(os.Args) == 2 && os.Args[1] == "__worker" {
		os.Exit(wasm.WorkerMain(os.Stdin, os.Stdout))
	}
	if len(os.Args) == 4 && os.Args[1] == "__memory" {
		os.Exit(memoryOf(os.Args[2], os.Args[3]))
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	only := flag.String("only", "", "sections to run, separated by commas; all when empty")
	budget := flag.Duration("time", time.Second, "time for one comparison")
	flag.Parse()
	dir, err := os.MkdirTemp("", "culm-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{dir: dir, budget: *budget}
	ctx := context.Background()
	if b.modules, err = build(ctx, dir); err != nil {
		return err
	}
	for _, s := range sections() {
		if *only != "" && !strings.Contains(","+*only+",", ","+s.name+",") {
			continue
		}
		fmt.Printf("\n## %s\n", s.title)
		if err := s.run(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}
