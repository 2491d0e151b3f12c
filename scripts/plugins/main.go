// Command plugins builds the plugins of plugins-src into plugins-wasm, with their index.
// What has not changed since the last time is not built again.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/culmhq/culm/host/plugins/build"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "plugins:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	start := time.Now()
	index, err := build.All(ctx, ".", build.Options{})
	if err != nil {
		return err
	}
	for _, p := range index.Plugins {
		fmt.Fprintf(out, "%-14s %-8s %5.2f MB  %s\n", p.ID, p.Version, float64(p.Bytes)/(1<<20), p.Digest[:19])
	}
	fmt.Fprintf(out, "%d plugins in %s\n", len(index.Plugins), time.Since(start).Round(10*time.Millisecond))
	return nil
}
