;; Asks for memory blocks without end.
(module (import "extism:host/env" "alloc" (func $a (param i64) (result i64))) (memory (export "memory") 1)
  (func (export "execute") (result i32) (loop (drop (call $a (i64.const 1000000))) br 0) i32.const 0))
