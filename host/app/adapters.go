package app

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/live"
	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/pdk/contract"
)

// inspector lets the catalogue look into a module without running any of it here.
type inspector struct{ host *wasm.Host }

// Inspect implements plugins.Inspector.
func (i inspector) Inspect(ctx context.Context, code []byte) (*contract.Manifest, error) {
	// The manifest first: only here is it known where in the author's text a fault is.
	_, err := build.ReadManifest(code)
	if all := build.FieldErrors(err); len(all) > 0 {
		return nil, misplaced(all)
	}
	info, err := i.host.Inspect(ctx, code)
	if err != nil {
		return nil, err
	}
	if info.Manifest == nil {
		return nil, errors.New("the module carries no manifest: pack it with culm plugin pack")
	}
	return info.Manifest, nil
}

// manifestProblemsMax bounds how much of what is wrong with a manifest is told at once.
const manifestProblemsMax = 20

// misplaced makes a refusal of what is wrong with a manifest: the first fault with its
// field, and its place in the text that the module carries; and each as a problem, which
// clients translate by its code.
func misplaced(all []*build.FieldError) error {
	first := all[0]
	message := first.Message
	if first.Line > 0 {
		message = document.Place{Line: first.Line, Column: first.Column}.In("") + " of the manifest: " + message
	}
	if more := len(all) - 1; more > 0 {
		message += fmt.Sprintf(" (and %d more)", more)
	}
	e := fault.At("/manifest"+first.Field, "%s", message).Because("MANIFEST_WRONG", strconv.Itoa(len(all)))
	for _, p := range all[:min(len(all), manifestProblemsMax)] {
		e.Problems = append(e.Problems, engine.Problem{
			Code: p.Code, Message: p.Message, Level: engine.SeverityError, Field: "/manifest" + p.Field, Args: p.Args,
		})
	}
	return e
}

// source lets the live hub read through the use cases of runs.
type source struct{ runs *runs.Service }

// Snapshot implements live.Source.
func (s *source) Snapshot(ctx context.Context, project, run string) (engine.RunView, error) {
	v, err := s.runs.View(ctx, project, run)
	return v, absent(err)
}

// Records implements live.Source.
func (s *source) Records(ctx context.Context, project, run string, after uint64, limit int) ([]engine.Record, error) {
	rs, err := s.runs.Records(ctx, runs.RecordsQuery{Project: project, Run: run, After: after, Limit: limit})
	return rs.Items, absent(err)
}

func absent(err error) error {
	if fault.Is(err, fault.NotFound) {
		return fmt.Errorf("%w: %w", live.ErrNoRun, err)
	}
	return err
}
