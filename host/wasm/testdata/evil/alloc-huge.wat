;; Asks for a memory block of nearly 2^64 bytes.
(module (import "extism:host/env" "alloc" (func $a (param i64) (result i64))) (memory (export "memory") 1)
  (func (export "execute") (result i32) (drop (call $a (i64.const -1))) i32.const 0))
