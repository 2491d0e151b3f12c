package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/spf13/cobra"

	"github.com/culmhq/culm/host/client"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/host/plugins/cases"
	"github.com/culmhq/culm/host/runs"
)

// settle is how long the files must be quiet: an editor writes a file in several steps.
const settle = 60 * time.Millisecond

// developer rebuilds a plugin at every change.
type developer struct {
	*program
	dir    string
	server *client.Client // nil reloads nowhere
	noTest bool
	asJSON bool

	digest  string // of what the server has
	granted bool   // it was said how the plugin gets what it asks for
}

// devRound is one round of culm plugin dev, as it is printed with --json. Times are in
// milliseconds; zero means that the step was not done.
type devRound struct {
	Changed  []string       `json:"changed,omitempty"`
	BuildMS  int64          `json:"build_ms"`
	TestMS   int64          `json:"test_ms,omitempty"`
	ReloadMS int64          `json:"reload_ms,omitempty"`
	TotalMS  int64          `json:"total_ms"`
	Digest   string         `json:"digest,omitempty"`
	State    plugins.State  `json:"state,omitempty"`
	Held     []plugins.Hold `json:"held,omitempty"`
	Passed   int            `json:"passed,omitempty"`
	Failed   int            `json:"failed,omitempty"`
	Problems []string       `json:"problems,omitempty"`
	// Error is why there is no module, or why it was not reloaded.
	Error string `json:"error,omitempty"`

	plugin string
	asks   bool // it asks for operations
}

func (p *program) pluginDev() *cobra.Command {
	d := &developer{program: p}
	var noReload, once bool
	c := &cobra.Command{
		Use:   "dev [DIR]",
		Short: "Rebuild, test and reload a plugin at every change",
		Long: "Watch a plugin's directory. At every change build it, run its cases, and install it into\n" +
			"a running server: the next node that is started there runs it. A version that asks for more\n" +
			"than the one before waits there for its approval. A server that does not answer is said,\n" +
			"and tried again at the next change.",
		Example: "  culm plugin dev\n  culm plugin dev ./ticket --server http://127.0.0.1:8080\n  culm plugin dev --no-reload",
		Args:    cobra.MaximumNArgs(1),
	}
	connect := p.serverFlag(c)
	c.Flags().BoolVar(&noReload, "no-reload", false, "build and test only")
	c.Flags().BoolVar(&d.noTest, "no-test", false, "do not run the cases")
	c.Flags().BoolVar(&once, "once", false, "do it once, and do not watch")
	c.Flags().BoolVar(&d.asJSON, "json", false, "print a JSON line for each round")
	c.RunE = func(c *cobra.Command, args []string) (err error) {
		d.dir = "."
		if len(args) == 1 {
			d.dir = args[0]
		}
		if _, err := build.Detect(d.dir); err != nil {
			return err
		}
		if !noReload {
			if d.server, err = connect(); err != nil {
				return err
			}
		}
		if once {
			r := d.round(c.Context(), nil)
			if err := d.show(r); err != nil || r.Error == "" && r.Failed == 0 {
				return err
			}
			return &exitError{code: exitFailed}
		}
		return d.watch(c.Context())
	}
	return c
}

// watch makes a round now and after every change, until ctx ends. A change while a round
// is under way ends that round: what it builds is old.
func (d *developer) watch(ctx context.Context) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return failed(err)
	}
	defer func() { _ = w.Close() }()
	if err := d.add(w, d.dir); err != nil {
		return failed(err)
	}
	if !d.asJSON {
		if d.server == nil {
			fmt.Fprintf(d.out, d.text.of("dev.watching")+"\n", d.dir)
		} else {
			fmt.Fprintf(d.out, d.text.of("dev.reloading")+"\n", d.dir, d.server.URL())
		}
	}
	rs := &devRounds{developer: d, done: make(chan devRound)}
	defer rs.stop()
	rs.begin(ctx, nil)
	quiet := time.NewTimer(time.Hour)
	quiet.Stop()
	var changed []string
	for {
		select {
		case <-ctx.Done():
			return nil
		case r := <-rs.done:
			if err := d.show(r); err != nil {
				return err
			}
		case e := <-w.Events:
			if name := d.changed(w, e); name != "" {
				changed = append(changed, name)
				quiet.Reset(settle)
			}
		case err := <-w.Errors:
			fmt.Fprintln(d.err, err)
		case <-quiet.C:
			slices.Sort(changed)
			rs.begin(ctx, slices.Compact(changed))
			changed = nil
		}
	}
}

// devRounds makes one round at a time.
type devRounds struct {
	*developer
	done   chan devRound
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// begin ends the round that is under way, if there is one, and begins another.
func (rs *devRounds) begin(ctx context.Context, changed []string) {
	rs.stop()
	ctx, rs.cancel = context.WithCancel(ctx)
	rs.wg.Go(func() {
		r := rs.round(ctx, changed)
		select {
		case rs.done <- r:
		case <-ctx.Done():
		}
	})
}

func (rs *devRounds) stop() {
	if rs.cancel != nil {
		rs.cancel()
	}
	rs.wg.Wait()
}

// changed returns the name of the source file that an event is about, or "". A directory
// that is new is watched from now on.
func (d *developer) changed(w *fsnotify.Watcher, e fsnotify.Event) string {
	if d.ignored(e) {
		return ""
	}
	if info, err := os.Stat(e.Name); err == nil && info.IsDir() {
		if err := d.add(w, e.Name); err != nil {
			fmt.Fprintln(d.err, err)
		}
	}
	name, err := filepath.Rel(d.dir, e.Name)
	if err != nil {
		return ""
	}
	return name
}

// outputs are directories that building writes to.
func outputs(name string) bool {
	return strings.HasPrefix(name, ".") ||
		slices.Contains([]string{"node_modules", "target", "build", "zig-cache", "zig-out"}, name)
}

// add watches a directory and those below it, but for what building writes.
func (d *developer) add(w *fsnotify.Watcher, root string) error {
	return filepath.WalkDir(root, func(at string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // gone meanwhile
		}
		if err != nil || !e.IsDir() {
			return err
		}
		if at != d.dir && outputs(e.Name()) {
			return filepath.SkipDir
		}
		return w.Add(at)
	})
}

// ignored reports whether an event is none of the source: a module that was built, a
// lock file that building writes, an editor's own file, or a mere look at a file.
func (d *developer) ignored(e fsnotify.Event) bool {
	name := filepath.Base(e.Name)
	return e.Op == fsnotify.Chmod || outputs(name) || strings.HasSuffix(name, ".wasm") || strings.HasSuffix(name, "~") ||
		name == "Cargo.lock" || name == "package-lock.json" || name == "4913"
}

// round builds, and then tests and reloads at once.
func (d *developer) round(ctx context.Context, changed []string) devRound {
	began := time.Now()
	r := devRound{Changed: changed}
	code, err := d.module(ctx, d.dir)
	r.BuildMS = time.Since(began).Milliseconds()
	if err == nil {
		r.Digest = build.Digest(code)
	} else {
		r.Error = d.told(err)
		r.TotalMS = r.BuildMS
		return r
	}
	// The server comes first: side by side each would wait for the other's compiler.
	var testErr, reloadErr error
	if d.server != nil {
		reloadErr = d.reload(ctx, code, &r)
	}
	if file := filepath.Join(d.dir, cases.FileName); !d.noTest && exists(file) {
		testErr = d.test(ctx, file, code, &r)
	}
	if err := cmp.Or(testErr, reloadErr); err != nil {
		r.Error = d.told(err)
	}
	r.TotalMS = time.Since(began).Milliseconds()
	return r
}

// test runs the cases.
func (d *developer) test(ctx context.Context, file string, code []byte, r *devRound) (err error) {
	began := time.Now()
	defer func() { r.TestMS = max(time.Since(began).Milliseconds(), 1) }()
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	f, err := cases.Parse(text)
	if err != nil {
		return say("%s: %s", file, err)
	}
	box, err := d.open(ctx, code, f.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.close()) }()
	for i := range f.Cases {
		done, err := cases.Run(ctx, box, f, i, runs.Evaluate)
		if err != nil {
			return err
		}
		ps := done.Problems()
		if len(ps) == 0 {
			r.Passed++
			continue
		}
		r.Failed++
		for _, q := range ps {
			r.Problems = append(r.Problems, fmt.Sprintf("%s:%d: %s: %s", file, done.Line, done.Name, d.unmet(q)))
		}
	}
	return nil
}

// told is an error for a person, or for a program, which reads English.
func (d *developer) told(err error) string {
	if d.asJSON {
		return err.Error()
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return strings.Join(d.refusal(f), "\n")
	}
	return d.text.err(err)
}

// unmet is told for what was not as expected.
func (d *developer) unmet(m cases.Mismatch) string {
	if d.asJSON {
		return m.String()
	}
	return d.text.mismatch(m)
}

// reload installs the module, unless the server has it already.
func (d *developer) reload(ctx context.Context, code []byte, r *devRound) error {
	began := time.Now()
	if r.Digest == d.digest {
		return nil
	}
	m, err := d.server.Install(ctx, code, nil, false)
	r.ReloadMS = max(time.Since(began).Milliseconds(), 1)
	if err != nil {
		return err
	}
	d.digest, r.State, r.Held = r.Digest, m.State, m.Held
	r.plugin, r.asks = m.Plugin, m.Manifest != nil && len(m.Manifest.Needs) > 0
	return nil
}

// show prints a round.
func (d *developer) show(r devRound) error {
	if d.asJSON {
		return d.line(r)
	}
	for _, q := range r.Problems {
		fmt.Fprintln(d.out, q)
	}
	if r.Error != "" {
		fmt.Fprintln(d.out, r.Error)
	}
	_, err := fmt.Fprintf(d.out, "%s  %s\n", milliseconds(r.TotalMS), strings.Join(d.steps(r), "  "))
	for _, h := range r.Held {
		fmt.Fprintf(d.out, "  %s\n", fmt.Sprintf(d.text.of("hold."+string(h.Code)), h.Detail))
	}
	if r.asks && !d.granted && r.State == plugins.StateActive {
		d.granted = true
		d.next("culm plugin grant %s", r.plugin)
	}
	return failed(err)
}

// steps says what a round did.
func (d *developer) steps(r devRound) []string {
	var parts []string
	add := func(key string, args ...any) { parts = append(parts, fmt.Sprintf(d.text.of(key), args...)) }
	if r.Digest == "" && r.Error != "" {
		add("dev.broken")
	} else {
		add("dev.built", milliseconds(r.BuildMS))
	}
	switch {
	case r.State != "" && r.State != plugins.StateActive:
		add("dev.held", d.text.of(string(r.State)))
	case r.State != "":
		add("dev.reloaded", milliseconds(r.ReloadMS))
	case d.server != nil && r.Digest != "" && r.Error == "":
		add("dev.same")
	}
	if r.TestMS > 0 {
		add("dev.tested", r.Passed, r.Failed, milliseconds(r.TestMS))
	}
	return parts
}

func milliseconds(n int64) string { return fmt.Sprintf("%.1fs", float64(n)/1000) }
