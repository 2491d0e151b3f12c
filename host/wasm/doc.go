// Package wasm runs plugin modules on wazero: it compiles them under limits in a
// child process, instantiates a fresh copy for every call, speaks the Extism
// calling convention, and stops what runs too long or grows too large.
//
// # Host functions
//
// The module extism:host/env is that of Extism's kernel. Culm's own are in the
// module culm:host/v1; "block" is the offset of an Extism memory block, 0 for none:
//
//	gateway_call(request block i64) -> (response block i64)   JSON contract.GatewayRequest -> GatewayResponse
//	log(level i32, text block i64)                            0 debug, 1 info, 2 warn, 3 error
//	progress(percent i32, message block i64)
//	var_get(name block i64) -> (value block i64)              JSON; 0 = unset
//	var_set(name block i64, value block i64)
//	eval(request block i64) -> (response block i64)           JSON contract.EvalRequest -> EvalResponse
//	input_read(offset i32, ptr i32, len i32) -> (n i32)       input bytes into guest memory
//	output_write(ptr i32, len i32)                            guest memory becomes the output
//	block_read(block i64, ptr i32, len i32) -> (n i32)        a block into guest memory
//	block_write(ptr i32, len i32) -> (block i64)              guest memory into a new block
package wasm
