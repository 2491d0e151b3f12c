package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/client"
	"github.com/culmhq/culm/host/config"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/host/recordings"
	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/host/wasm"
	shipped "github.com/culmhq/culm/plugins-wasm"
)

// replayOptions are the flags of culm plugin replay.
type replayOptions struct {
	data, project, module, recording, save, options string
	attempt, iteration, call                        int
	events, asJSON                                  bool
}

func (p *program) pluginReplay() *cobra.Command {
	var o replayOptions
	c := &cobra.Command{
		Use:   "replay RUN NODE | --options PLUGIN/ACTION/SOURCE",
		Short: "Make the recorded plugin calls of a node again, and show the first difference",
		Long: "Make the recorded plugin calls of a node's last attempt again on this machine. Clock,\n" +
			"randomness and every answer come from the recording: nothing is called, and the same module\n" +
			"does the same. With --module another build is tried, and the first point at which it goes\n" +
			"another way is shown. With --options it is a call for the choices of a form field, which is\n" +
			"named by its x-source; attempts number these calls, and the last one is taken.\n\n" +
			"Exit codes: 0 the same, 1 a difference, or the recording ends too early, 2 the input was refused.",
		Example: "  culm plugin replay 01a219a9-8b03-7085-88f4-0a9448d68f02 deploy --server http://127.0.0.1:8080\n" +
			"  culm plugin replay 01a219a9-8b03-7085-88f4-0a9448d68f02 deploy --module ./ticket.wasm --events\n" +
			"  culm plugin replay 01a219a9-8b03-7085-88f4-0a9448d68f02 deploy --save failed.json\n" +
			"  culm plugin replay --options ticket/open/queues\n" +
			"  culm plugin replay --recording failed.json --module ./ticket.wasm",
		Args: func(c *cobra.Command, args []string) error {
			if o.recording != "" {
				return cobra.NoArgs(c, args)
			}
			if o.options != "" {
				if parts := strings.Split(o.options, "/"); len(parts) != 3 || slices.Contains(parts, "") {
					return say("--options takes PLUGIN/ACTION/SOURCE, not %q", o.options)
				}
				return cobra.NoArgs(c, args)
			}
			return cobra.ExactArgs(2)(c, args)
		},
	}
	connect := p.projectFlags(c, &o.project)
	f := c.Flags()
	f.StringVar(&o.data, "data", "", "read from a data directory whose server is not running, instead of a server")
	f.StringVar(&o.options, "options", "", "a call for choices, as PLUGIN/ACTION/SOURCE, instead of a node's")
	f.StringVar(&o.recording, "recording", "", "play the recordings of a file that --save wrote")
	f.StringVar(&o.module, "module", "", "the module to play with (default: the recorded one)")
	f.StringVar(&o.save, "save", "", "write the recordings to a file instead of playing them")
	f.IntVar(&o.attempt, "attempt", 0, "the attempt, from 1 (default: the last that was recorded)")
	f.IntVar(&o.iteration, "iteration", -1, "the iteration of a node in a loop, from 0 (default: the last)")
	f.IntVar(&o.call, "call", -1, "only this call of the attempt, from 0")
	f.BoolVar(&o.events, "events", false, "show what the plugin asked and got")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		src, err := p.recordingsFrom(c.Context(), &o, connect, args)
		if err != nil {
			return err
		}
		defer src.close()
		views, err := src.views(c.Context(), o)
		if err != nil {
			return err
		}
		if o.save != "" {
			if err := saveRecordings(o.save, views); err != nil {
				return err
			}
			fmt.Fprintf(p.err, p.text.of("replay.saved")+"\n", o.save, len(views))
			p.next("culm plugin replay --recording %s", o.save)
			return nil
		}
		return p.replay(c.Context(), o, src, views)
	}
	return c
}

// recordingSource is where recordings and their modules come from.
type recordingSource struct {
	list   func(context.Context) ([]recordings.Meta, error)
	get    func(ctx context.Context, id string) (recordings.View, error)
	module func(ctx context.Context, plugin, digest string) ([]byte, error)
	close  func()
}

// recordingsFrom opens the source that the flags name.
func (p *program) recordingsFrom(ctx context.Context, o *replayOptions, connect func(context.Context) (*client.Client, error), args []string) (*recordingSource, error) {
	run, node := "", o.options
	if o.options == "" && o.recording == "" {
		run, node = args[0], args[1]
	}
	switch {
	case o.recording != "":
		return fileSource(o.recording)
	case o.data != "":
		o.project = cmp.Or(o.project, app.DefaultProject(false))
		return p.dataSource(ctx, *o, run, node)
	}
	cl, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	if run == "" {
		return choicesSource(cl, *o), nil
	}
	return &recordingSource{
		list: func(ctx context.Context) ([]recordings.Meta, error) {
			return cl.Recordings(ctx, o.project, run, node)
		},
		get: func(ctx context.Context, id string) (recordings.View, error) {
			return cl.Recording(ctx, o.project, run, node, id)
		},
		module: cl.Module,
		close:  func() {},
	}, nil
}

// choicesSource reads recordings of calls for choices from a server.
func choicesSource(cl *client.Client, o replayOptions) *recordingSource {
	at := strings.Split(o.options, "/")
	return &recordingSource{
		list: func(ctx context.Context) ([]recordings.Meta, error) {
			return cl.ChoicesRecordings(ctx, o.project, at[0], at[1], at[2])
		},
		get: func(ctx context.Context, id string) (recordings.View, error) {
			return cl.ChoicesRecording(ctx, o.project, at[0], at[1], at[2], id)
		},
		module: cl.Module,
		close:  func() {},
	}
}

// savedRecordings is the form of a file of recordings.
type savedRecordings struct {
	Recordings []recordings.View `json:"recordings"`
}

func saveRecordings(file string, views []recordings.View) error {
	b, err := json.MarshalIndent(savedRecordings{views}, "", " ")
	if err != nil {
		return failed(err)
	}
	return failed(os.WriteFile(file, append(b, '\n'), 0o600))
}

func fileSource(file string) (*recordingSource, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var saved savedRecordings
	if err := json.Unmarshal(b, &saved); err != nil || len(saved.Recordings) == 0 {
		return nil, say("%s: no recordings as culm plugin replay --save writes them", file)
	}
	return &recordingSource{
		list: func(context.Context) ([]recordings.Meta, error) {
			var all []recordings.Meta
			for i := range saved.Recordings {
				saved.Recordings[i].ID = fmt.Sprint(i)
				all = append(all, saved.Recordings[i].Meta)
			}
			return all, nil
		},
		get: func(_ context.Context, id string) (recordings.View, error) {
			i := slices.IndexFunc(saved.Recordings, func(v recordings.View) bool { return v.ID == id })
			if saved.Recordings[i].Recording == nil {
				return recordings.View{}, say("%s: entry %d has no recording", file, i)
			}
			return saved.Recordings[i], nil
		},
		module: func(_ context.Context, _, digest string) ([]byte, error) { return nil, fault.Missing("module", digest) },
		close:  func() {},
	}, nil
}

// dataSource reads from a data directory, as culm run leaves one.
func (p *program) dataSource(ctx context.Context, o replayOptions, run, node string) (*recordingSource, error) {
	cfg := config.Default()
	cfg.Data, cfg.Log.Level = o.data, "warn"
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if _, err := os.Stat(o.data); err != nil {
		return nil, err
	}
	deps := p.deps(cfg, nil)
	deps.Plugins = nil
	core, err := app.Open(ctx, cfg, deps)
	if err != nil {
		return nil, failed(err)
	}
	return &recordingSource{
		list: func(ctx context.Context) ([]recordings.Meta, error) {
			var all []recordings.Meta
			for q := (page.Query{Limit: page.LimitMax}); ; {
				list, err := core.Recordings.List(ctx, o.project, run, node, q)
				if err != nil {
					return nil, err
				}
				all = append(all, list.Items...)
				if q.Cursor = list.Next; q.Cursor == "" {
					return all, nil
				}
			}
		},
		get: func(ctx context.Context, id string) (recordings.View, error) {
			return core.Recordings.Get(ctx, o.project, run, node, id)
		},
		module: func(ctx context.Context, _, digest string) ([]byte, error) { return core.Plugins.Code(ctx, digest) },
		close:  func() { _ = core.Stop(context.WithoutCancel(ctx)) },
	}, nil
}

// views reads the recordings of the attempt that the flags name.
func (s *recordingSource) views(ctx context.Context, o replayOptions) ([]recordings.View, error) {
	all, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	chosen := chooseCalls(all, o)
	if len(chosen) == 0 {
		return nil, sayAs(fault.NotFound, "no recording of this call: calls of attempts that fail are recorded unless record.mode says otherwise")
	}
	views := make([]recordings.View, 0, len(chosen))
	for _, m := range chosen {
		v, err := s.get(ctx, m.ID)
		if err != nil {
			return nil, err
		}
		views = append(views, v)
	}
	return views, nil
}

// chooseCalls picks the calls of one attempt, in the order in which they were made.
func chooseCalls(all []recordings.Meta, o replayOptions) []recordings.Meta {
	var last *recordings.Meta
	for i := range all {
		m := &all[i]
		if (o.attempt == 0 || m.Attempt == o.attempt) && (o.iteration < 0 || m.Iteration == o.iteration) &&
			(last == nil || m.Iteration > last.Iteration || m.Iteration == last.Iteration && m.Attempt > last.Attempt) {
			last = m
		}
	}
	if last == nil {
		return nil
	}
	iteration, attempt := last.Iteration, last.Attempt
	return slices.DeleteFunc(all, func(m recordings.Meta) bool {
		return m.Iteration != iteration || m.Attempt != attempt || o.call >= 0 && m.Call != o.call
	})
}

// replayedCall is what is printed of one call that was made again.
type replayedCall struct {
	recordings.Meta
	// Result is same, different or cut.
	Result  string         `json:"result"`
	Module  string         `json:"module"`
	Report  *replay.Report `json:"report"`
	Outcome replay.Outcome `json:"outcome"`

	recording *replay.Recording
}

// The results of a replayed call.
const (
	resultSame      = "same"
	resultDifferent = "different"
	resultCut       = "cut"
)

// replay plays recordings and shows what came of it. It ends at the first difference:
// what comes after it was recorded of a call that began elsewhere.
func (p *program) replay(ctx context.Context, o replayOptions, src *recordingSource, views []recordings.View) error {
	var calls []replayedCall
	for i := range views {
		code, err := p.moduleFor(ctx, o, src, &views[i])
		if err != nil {
			return err
		}
		r, err := p.play(ctx, &views[i], code)
		if err != nil {
			return err
		}
		calls = append(calls, r)
		if !o.asJSON {
			if err := p.showReplayed(&r, o.events); err != nil {
				return err
			}
		}
		if r.Result != resultSame {
			break
		}
	}
	if o.asJSON {
		if err := p.json(map[string]any{"calls": calls}); err != nil {
			return err
		}
	}
	if calls[len(calls)-1].Result != resultSame {
		return &exitError{code: exitFailed}
	}
	return nil
}

// moduleFor finds the module to play a recording with.
func (p *program) moduleFor(ctx context.Context, o replayOptions, src *recordingSource, v *recordings.View) ([]byte, error) {
	if o.module != "" {
		return os.ReadFile(o.module)
	}
	code, err := src.module(ctx, v.Plugin, v.Digest)
	if err == nil && build.Digest(code) == v.Digest {
		return code, nil
	}
	if s, shippedErr := app.NewShipped(shipped.Files); shippedErr == nil {
		if code, err := s.Code(plugins.ShippedPlugin{ID: v.Plugin, Digest: v.Digest}); err == nil && build.Digest(code) == v.Digest {
			return code, nil
		}
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	return nil, say("the recorded module %s of plugin %s is not here: name one with --module", v.Digest, v.Plugin)
}

// play makes one call again, on a host with the recorded limits.
func (p *program) play(ctx context.Context, v *recordings.View, code []byte) (_ replayedCall, err error) {
	if err := v.Recording.Check(); err != nil {
		return replayedCall{}, say("call %d: %s", v.Call, err)
	}
	cache := p.cacheDir()
	if cache == "" {
		if cache, err = os.MkdirTemp("", "culm-replay-"); err != nil {
			return replayedCall{}, failed(err)
		}
		defer func() { err = errors.Join(err, failed(os.RemoveAll(cache))) }()
	}
	host, err := wasm.New(ctx, wasm.Config{CacheDir: cache, Compiler: compiler, Limits: wasm.LimitsOf(v.Recording)})
	if err != nil {
		return replayedCall{}, failed(err)
	}
	defer func() { err = errors.Join(err, failed(host.Close())) }()
	m, err := host.Load(ctx, wasm.Digest(code), code)
	if err != nil {
		return replayedCall{}, err
	}
	r, callErr := m.Call(ctx, wasm.Call{Export: v.Recording.Export, Input: v.Recording.Input, Replay: v.Recording})
	if r.Replay == nil {
		return replayedCall{}, callErr
	}
	out := replayedCall{
		Meta: v.Meta, Module: m.Info().Digest, Report: r.Replay, Outcome: replay.Outcome{Output: r.Output, Failure: wasm.AsFailure(callErr)},
		Result: resultSame, recording: v.Recording,
	}
	switch {
	case r.Replay.Difference != nil:
		out.Result = resultDifferent
	case r.Replay.Cut:
		out.Result = resultCut
	}
	return out, nil
}
