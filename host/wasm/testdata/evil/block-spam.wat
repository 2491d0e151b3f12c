;; Allocates and frees for ever: bounded by time alone.
(module (import "extism:host/env" "alloc" (func $a (param i64) (result i64)))
  (import "extism:host/env" "free" (func $f (param i64))) (memory (export "memory") 1)
  (func (export "execute") (result i32) (loop (call $f (call $a (i64.const 1000))) br 0) i32.const 0))
