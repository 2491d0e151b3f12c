// Command culm serves Culm, runs flows without a server, checks flow documents, and
// builds and inspects plugins.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	// Who reads the output may go early: that is an error of the write, and what the
	// program leaves behind is removed.
	signal.Ignore(syscall.SIGPIPE)
	code := run(ctx, os.Args[1:], outside{in: os.Stdin, out: os.Stdout, err: os.Stderr, environ: os.Environ()})
	stop()
	os.Exit(code)
}
