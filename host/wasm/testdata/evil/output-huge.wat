;; Says that its output is 100 MB of a block of 10 bytes.
(module (import "extism:host/env" "output_set" (func $o (param i64 i64)))
  (import "extism:host/env" "alloc" (func $a (param i64) (result i64))) (memory (export "memory") 1)
  (func (export "execute") (result i32) (call $o (call $a (i64.const 10)) (i64.const 100000000)) i32.const 0))
