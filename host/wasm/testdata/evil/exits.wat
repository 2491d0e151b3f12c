;; Exits with status 7.
(module (import "wasi_snapshot_preview1" "proc_exit" (func $x (param i32)))
  (memory (export "memory") 1) (func (export "execute") (result i32) (call $x (i32.const 7)) i32.const 0))
