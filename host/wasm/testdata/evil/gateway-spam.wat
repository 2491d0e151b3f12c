;; Calls the gateway without end.
(module (import "culm:host/v1" "gateway_call" (func $g (param i64) (result i64)))
  (import "culm:host/v1" "block_write" (func $w (param i32 i32) (result i64)))
  (memory (export "memory") 1) (data (i32.const 0) "{\"system\":\"s\",\"operation\":\"o\"}")
  (func (export "execute") (result i32) (local i64) (local.set 0 (call $w (i32.const 0) (i32.const 30)))
    (loop (drop (call $g (local.get 0))) br 0) i32.const 0))
