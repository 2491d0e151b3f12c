// Command crowd measures the live stream of the real program: many clients on one server, and
// clients that do not read.
//
//	crowd -bin bin/culm -clients 10000
//
// It starts the program on a free loopback port with a directory of its own, and ends it. What it
// prints: the memory of the server with and without the clients, the time from sending a command
// to the arrival of its record at each client, and how much longer commands take while clients do
// not read.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	bin := flag.String("bin", "bin/culm", "the program")
	clients := flag.Int("clients", 10_000, "clients at once")
	commands := flag.Int("commands", 30, "commands whose fan-out is measured")
	pause := flag.Duration("pause", 2*time.Second, "time between two of them")
	slow := flag.Int("slow", 100, "clients that do not read")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := measure(ctx, *bin, *clients, *commands, *pause, *slow)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "crowd:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, bin string, clients, commands int, pause time.Duration, slow int) (err error) {
	s, err := launch(ctx, bin)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := s.publish(ctx); err != nil {
		return err
	}
	if err := fanOut(ctx, s, clients, commands, pause); err != nil {
		return err
	}
	return slowClients(ctx, s, slow)
}
