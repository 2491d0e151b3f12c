;; Logs a thousand lines of 1,000 bytes and ends well.
(module (import "culm:host/v1" "log" (func $l (param i32 i64)))
  (import "culm:host/v1" "block_write" (func $w (param i32 i32) (result i64)))
  (memory (export "memory") 1)
  (func (export "execute") (result i32) (local i64 i32)
    (memory.fill (i32.const 0) (i32.const 120) (i32.const 1000))
    (local.set 0 (call $w (i32.const 0) (i32.const 1000)))
    (loop (call $l (i32.const 1) (local.get 0)) (local.set 1 (i32.add (local.get 1) (i32.const 1)))
      (br_if 0 (i32.lt_u (local.get 1) (i32.const 1000)))) i32.const 0))
