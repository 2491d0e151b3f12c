package wasm

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/culmhq/culm/host/strict"
	"github.com/culmhq/culm/host/wasm/wire"
	"github.com/culmhq/culm/pdk/contract"
)

// workerFrameMax bounds a frame that a worker process takes: a module with its order.
// The host is who sends it; the bound is for a pipe that carries something else.
const workerFrameMax = 1 << 30

// frameSlack is what the fields of a frame take besides the largest of them.
const frameSlack = 64 << 10

// frameMax bounds a frame that the host takes from a worker process.
func (l Limits) frameMax() int {
	return int(max(l.OutputBytes, l.RequestBytes, l.VarBytes)) + frameSlack
}

// asked are the limits that a module may have lowered, as a plugin would ask for them.
func (l Limits) asked() contract.Limits {
	return contract.Limits{
		MemoryBytes: l.MemoryBytes, OutputBytes: l.OutputBytes, LogBytes: l.LogBytes, HostCalls: l.HostCalls,
		TimeoutMS: int64(l.Timeout / time.Millisecond),
	}
}

// configMax bounds the entries of a call's configuration.
const configMax = 10_000

// encode writes a call, without its services.
func (c *Call) encode() []byte {
	const numbers = 10 * 9
	room := len(c.Export) + len(c.Input) + numbers
	for k, v := range c.Config {
		room += len(k) + len(v) + numbers
	}
	e := wire.NewEncoder(make([]byte, 0, room)).Text(c.Export).Bytes(c.Input)
	l := c.Limits
	e.Int(l.MemoryBytes).Int(l.OutputBytes).Int(l.LogBytes).Int(int64(l.HostCalls)).Int(l.TimeoutMS)
	e.Int(c.RecordBytes).Int(int64(len(c.Config)))
	for k, v := range c.Config {
		e.Text(k).Text(v)
	}
	return e.Body()
}

// decode reads what encode wrote.
func (c *Call) decode(body []byte) error {
	d := wire.NewDecoder(body)
	c.Export, c.Input = d.Text(), d.Bytes()
	c.Limits = contract.Limits{
		MemoryBytes: d.Int(), OutputBytes: d.Int(), LogBytes: d.Int(), HostCalls: int(d.Int()), TimeoutMS: d.Int(),
	}
	c.RecordBytes = d.Int()
	n := d.Int()
	if n > 0 && n <= configMax {
		c.Config = map[string]string{}
		for range n {
			k := d.Text()
			c.Config[k] = d.Text()
		}
	}
	return d.End()
}

// appendResult appends how a call ended.
func appendResult(b []byte, r Result, err error) []byte {
	var failed []byte
	if f := AsFailure(err); f != nil {
		failed, _ = json.Marshal(f) // texts, and a detail that is JSON
	}
	e := wire.NewEncoder(b).Bytes(failed).Bytes(r.Output)
	truncated := int64(0)
	if r.LogTruncated {
		truncated = 1
	}
	return e.Int(truncated).Int(r.PeakMemoryBytes).Int(int64(r.HostCalls)).Int(int64(r.Duration)).Int(int64(r.Guest)).Body()
}

// decodeResult reads what a worker process wrote; the failure is as it wrote it. The
// error is that of the frame.
func decodeResult(body []byte) (Result, *contract.Failure, error) {
	d := wire.NewDecoder(body)
	failed, output := d.Bytes(), d.Bytes()
	r := Result{
		LogTruncated: d.Int() != 0, PeakMemoryBytes: d.Int(), HostCalls: int(d.Int()),
		Duration: time.Duration(d.Int()), Guest: time.Duration(d.Int()),
	}
	if err := d.End(); err != nil {
		return Result{}, nil, err
	}
	if len(failed) == 0 {
		r.Output = output
		return r, nil, nil
	}
	var f contract.Failure
	if err := strict.Decode(failed, &f); err != nil {
		return Result{}, nil, err
	}
	return r, &f, nil
}

// errorDetailMax bounds the detail of a failure that a child process reports.
const errorDetailMax = 16 << 10

// fromChild makes the failure that a child process reports fit to be shown: the process
// may have been taken over by what it ran.
func fromChild(f contract.Failure) contract.Failure {
	out := contract.Failure{Code: f.Code, Origin: f.Origin, Message: clean(f.Message, errorBytesMax), Retryable: f.Retryable}
	if !slices.Contains(codes(), f.Code) {
		out.Code, out.Origin = CodeTrap, contract.OriginPlugin
	}
	switch f.Origin {
	case contract.OriginFlow, contract.OriginPlugin, contract.OriginLimit, contract.OriginHost:
	default:
		out.Origin = contract.OriginPlugin
	}
	if len(f.Detail) > 0 && len(f.Detail) <= errorDetailMax && strict.Check(f.Detail) == nil {
		out.Detail = f.Detail
	}
	return out
}

// codes lists the codes that a child process may report.
func codes() []string {
	return []string{
		CodeModuleInvalid, CodeManifestInvalid, CodeModuleLimit, CodeImportDenied, CodeCompileLimit, CodeStartTimeout,
		CodeTimeout, CodeTrap, CodeResource, CodeFailed, CodeExportMissing, CodeInputLimit, CodeOutputLimit,
		CodeHostCallLimit, CodeVarRefused, CodeCancelled, CodeHostFault,
	}
}

// Names of what ended a call, for the process that runs it.
const (
	causeDeadline  = "deadline"
	causeCancelled = "cancelled"
)

// causeName names the cause of the end of a context.
func causeName(cause error) []byte {
	if errors.Is(cause, context.Canceled) {
		return []byte(causeCancelled)
	}
	return []byte(causeDeadline)
}

// cancelCause is what causeName named.
func cancelCause(name string) error {
	if name == causeCancelled {
		return context.Canceled
	}
	return context.DeadlineExceeded
}
