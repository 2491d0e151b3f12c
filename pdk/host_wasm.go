//go:build wasip1

package pdk

import (
	"encoding/json"
	"time"
	"unsafe"

	"github.com/culmhq/culm/pdk/contract"
)

//go:wasmimport culm:host/v1 input_read
func hostInputRead(offset uint32, p unsafe.Pointer, n uint32) uint32

//go:wasmimport culm:host/v1 output_write
func hostOutputWrite(p unsafe.Pointer, n uint32)

//go:wasmimport culm:host/v1 block_read
func hostBlockRead(block uint64, p unsafe.Pointer, n uint32) uint32

//go:wasmimport culm:host/v1 block_write
func hostBlockWrite(p unsafe.Pointer, n uint32) uint64

//go:wasmimport culm:host/v1 gateway_call
func hostGatewayCall(request uint64) uint64

//go:wasmimport culm:host/v1 log
func hostLog(level uint32, text uint64)

//go:wasmimport culm:host/v1 progress
func hostProgress(percent uint32, message uint64)

//go:wasmimport culm:host/v1 var_get
func hostVarGet(name uint64) uint64

//go:wasmimport culm:host/v1 var_set
func hostVarSet(name, value uint64)

//go:wasmimport culm:host/v1 eval
func hostEval(request uint64) uint64

// wasmHost is the host that a module finds.
type wasmHost struct{}

func (wasmHost) Gateway(req contract.GatewayRequest) contract.GatewayResponse {
	var resp contract.GatewayResponse
	if err := exchange(hostGatewayCall, req, &resp); err != nil {
		return contract.GatewayResponse{Failure: Fail(CodePlugin, "gateway call: %v", err)}
	}
	return resp
}

func (wasmHost) Eval(req contract.EvalRequest) contract.EvalResponse {
	var resp contract.EvalResponse
	if err := exchange(hostEval, req, &resp); err != nil {
		return contract.EvalResponse{Failure: Fail(CodePlugin, "evaluation: %v", err)}
	}
	return resp
}

// exchange sends a value to a host function and decodes what comes back.
func exchange(call func(uint64) uint64, req, resp any) error {
	raw, err := json.Marshal(req)
	if err != nil {
		return err
	}
	in := writeBlock(raw)
	out := call(in)
	freeBlock(in)
	return json.Unmarshal(readBlock(out), resp)
}

func (wasmHost) Log(level contract.Level, text string) {
	n := uint32(1)
	switch level {
	case contract.LevelDebug:
		n = 0
	case contract.LevelInfo:
	case contract.LevelWarn:
		n = 2
	case contract.LevelError:
		n = 3
	}
	b := writeBlock([]byte(text))
	hostLog(n, b)
	freeBlock(b)
}

func (wasmHost) Progress(percent int, message string) {
	b := writeBlock([]byte(message))
	hostProgress(uint32(percent), b)
	freeBlock(b)
}

func (wasmHost) Var(name string) (json.RawMessage, bool) {
	n := writeBlock([]byte(name))
	v := hostVarGet(n)
	freeBlock(n)
	if v == 0 {
		return nil, false
	}
	return readBlock(v), true
}

func (wasmHost) SetVar(name string, value json.RawMessage) error {
	n, v := writeBlock([]byte(name)), writeBlock(value)
	hostVarSet(n, v)
	freeBlock(n)
	freeBlock(v)
	return nil
}

func (wasmHost) Now() time.Time { return time.Now() }

func readInput() []byte {
	b := make([]byte, inputLength())
	if len(b) == 0 {
		return nil
	}
	return b[:hostInputRead(0, unsafe.Pointer(unsafe.SliceData(b)), uint32(len(b)))]
}

func writeOutput(b []byte) {
	hostOutputWrite(unsafe.Pointer(unsafe.SliceData(b)), uint32(len(b)))
}

func writeBlock(b []byte) uint64 {
	return hostBlockWrite(unsafe.Pointer(unsafe.SliceData(b)), uint32(len(b)))
}

// readBlock reads a block that the host made and gives it back.
func readBlock(block uint64) []byte {
	if block == 0 {
		return nil
	}
	b := make([]byte, blockLength(block))
	if len(b) > 0 {
		b = b[:hostBlockRead(block, unsafe.Pointer(unsafe.SliceData(b)), uint32(len(b)))]
	}
	freeBlock(block)
	return b
}
