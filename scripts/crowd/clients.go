package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// dialers is how many clients connect at once.
const dialers = 64

// arrival is a record that came to a client.
type arrival struct {
	seq uint64
	at  time.Time
}

// crowd is the clients of one run.
type crowd struct {
	conns    []*websocket.Conn
	arrivals chan arrival
	failed   chan error
	readers  sync.WaitGroup
}

// fanOut measures how long the record of a command takes to each of many clients.
func fanOut(ctx context.Context, s *server, clients, commands int, pause time.Duration) error {
	run, err := s.start(ctx)
	if err != nil {
		return err
	}
	first, err := s.set(ctx, run, "the first")
	if err != nil {
		return err
	}
	before, err := s.memory()
	if err != nil {
		return err
	}
	began := time.Now()
	c, err := s.gather(ctx, run, first, clients)
	if err != nil {
		return err
	}
	defer c.disperse()
	connecting := time.Since(began)

	all := make([]time.Duration, 0, clients*commands)
	var worst []time.Duration
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for i := range commands {
		took, err := c.command(ctx, s, run, fmt.Sprintf("number %d", i))
		if err != nil {
			return err
		}
		all = append(all, took...)
		worst = append(worst, slices.Max(took))
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	after, err := s.memory()
	if err != nil {
		return err
	}
	fmt.Printf("%d clients on one run: connected in %s; memory of the server %.0f MiB, %.0f without them (%.1f KiB a client)\n",
		clients, connecting.Round(time.Millisecond), after, before, (after-before)*1024/float64(clients))
	fmt.Printf("%d commands, %d arrivals, none lost, doubled or out of order: from sending the command to the client p50 %s, p99 %s, the last %s\n",
		commands, len(all), quantile(all, 50), quantile(all, 99), slices.Max(worst).Round(time.Millisecond))
	return nil
}

// slowClients compares commands with nobody there to commands beside clients that do not read.
// They are measured in turn, so that other work of the machine hits all alike.
func slowClients(ctx context.Context, s *server, slow int) error {
	const rounds = 9
	crowds := []struct {
		clients int
		reading bool
	}{{}, {clients: 1}, {clients: slow}, {clients: slow, reading: true}}
	took := make([][]time.Duration, len(crowds))
	for range rounds {
		for i, c := range crowds {
			d, err := besides(ctx, s, c.clients, c.reading)
			if err != nil {
				return err
			}
			took[i] = append(took[i], d)
		}
	}
	alone := quantile(took[0], 50)
	fmt.Printf("a command with a value of 4 kB: %s with nobody there\n", alone)
	for i, c := range crowds[1:] {
		d := quantile(took[i+1], 50)
		doing := "do not read"
		if c.reading {
			doing = "read"
		}
		fmt.Printf("  beside %d that %s: %s, ratio %.3f\n", c.clients, doing, d, float64(d)/float64(alone))
	}
	return nil
}

// besides returns the time of a command to a run that has clients.
func besides(ctx context.Context, s *server, clients int, reading bool) (time.Duration, error) {
	const commands = 300
	value := strings.Repeat("x", 4000)
	run, err := s.start(ctx)
	if err != nil {
		return 0, err
	}
	var readers sync.WaitGroup
	defer readers.Wait()
	for range clients {
		conn, err := s.dial(ctx, run, 0)
		if err != nil {
			return 0, err
		}
		defer func() { _ = conn.Close() }()
		if reading {
			readers.Go(func() { swallow(conn) })
		}
	}
	began := time.Now()
	for range commands {
		if _, err := s.set(ctx, run, value); err != nil {
			return 0, err
		}
	}
	return time.Since(began) / commands, nil
}

// swallow reads until the connection is closed.
func swallow(conn *websocket.Conn) {
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			return
		}
	}
}

// gather connects clients to a run, which have seen the record after.
func (s *server) gather(ctx context.Context, run string, after uint64, clients int) (*crowd, error) {
	c := &crowd{conns: make([]*websocket.Conn, clients), arrivals: make(chan arrival, clients), failed: make(chan error, clients+dialers)}
	next := make(chan int)
	var connecting sync.WaitGroup
	for range dialers {
		connecting.Go(func() {
			for i := range next {
				conn, err := s.dial(ctx, run, after)
				if err != nil {
					c.failed <- err
					continue
				}
				c.conns[i] = conn
			}
		})
	}
	for i := range clients {
		next <- i
	}
	close(next)
	connecting.Wait()
	select {
	case err := <-c.failed:
		c.disperse()
		return nil, err
	default:
	}
	for _, conn := range c.conns {
		c.readers.Go(func() { c.read(conn, after) })
	}
	return c, nil
}

// read tells the arrival of every frame's last record, and checks the order of all.
func (c *crowd) read(conn *websocket.Conn, seq uint64) {
	for {
		_, text, err := conn.ReadMessage()
		if err != nil {
			if !errors.Is(err, websocket.ErrCloseSent) {
				c.failed <- err
			}
			return
		}
		at := time.Now()
		for found := range sequence(text) {
			if found != seq+1 {
				c.failed <- fmt.Errorf("record %d after %d", found, seq)
				return
			}
			seq = found
			c.arrivals <- arrival{seq, at}
		}
	}
}

// command sends one and returns how long its record took to each client.
func (c *crowd) command(ctx context.Context, s *server, run, text string) ([]time.Duration, error) {
	began := time.Now()
	var seq uint64
	sent := make(chan error, 1)
	go func() {
		var err error
		seq, err = s.set(ctx, run, text)
		sent <- err
	}()
	got := make([]arrival, 0, len(c.conns))
	limit := time.After(patience)
	for len(got) < len(c.conns) {
		select {
		case a := <-c.arrivals:
			got = append(got, a)
		case err := <-c.failed:
			return nil, err
		case <-limit:
			return nil, fmt.Errorf("%d of %d clients got the record", len(got), len(c.conns))
		}
	}
	if err := <-sent; err != nil {
		return nil, err
	}
	took := make([]time.Duration, len(got))
	for i, a := range got {
		if a.seq != seq {
			return nil, fmt.Errorf("record %d came, the command's is %d", a.seq, seq)
		}
		took[i] = a.at.Sub(began)
	}
	return took, nil
}

// disperse closes every connection and waits for the readers.
func (c *crowd) disperse() {
	for _, conn := range c.conns {
		if conn != nil {
			_ = conn.Close()
		}
	}
	c.readers.Wait()
}

func (s *server) dial(ctx context.Context, run string, after uint64) (*websocket.Conn, error) {
	d := websocket.Dialer{ReadBufferSize: 1024, WriteBufferSize: 256, HandshakeTimeout: patience}
	url := "ws" + strings.TrimPrefix(s.base, "http") + "/runs/" + run + "/events?after=" + strconv.FormatUint(after, 10)
	conn, resp, err := d.DialContext(ctx, url, nil)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	_ = resp.Body.Close()
	return conn, nil
}

// sequence yields the numbers of the records of a frame. Reading them as JSON would take the
// processor from the server that is measured.
func sequence(frame []byte) func(yield func(uint64) bool) {
	mark := []byte(`{"seq":`)
	return func(yield func(uint64) bool) {
		for {
			i := bytes.Index(frame, mark)
			if i < 0 {
				return
			}
			frame = frame[i+len(mark):]
			end := bytes.IndexByte(frame, ',')
			n, err := strconv.ParseUint(string(frame[:max(end, 0)]), 10, 64)
			if err != nil || !yield(n) {
				return
			}
		}
	}
}

func quantile(all []time.Duration, percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, len(sorted)*percent/100)].Round(10 * time.Microsecond)
}
