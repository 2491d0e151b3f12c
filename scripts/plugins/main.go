// Command plugins builds every plugin in plugins-src into plugins-wasm and writes the
// index with their digests.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/culmhq/culm/host/plugins/build"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	index, err := build.All(ctx, ".", build.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, "plugins:", err)
		stop()
		os.Exit(1)
	}
	for _, p := range index.Plugins {
		fmt.Printf("%-14s %-8s %5.2f MB  %s\n", p.ID, p.Version, float64(p.Bytes)/1e6, p.Digest)
	}
}
