;; What the engine reads of the world. While the plugin is loaded the clock stands at 0 and nothing is random: what was read
;; then would be the same in every call. In a call both are the host's.
(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $now (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (import "env" "in_call" (global $in_call (mut i32)))
  (import "engine" "memory" (memory 0))
  (func (export "clock_time_get") (param $id i32) (param $precision i64) (param $to i32) (result i32)
    (if (global.get $in_call)
      (then (return (call $now (local.get $id) (local.get $precision) (local.get $to)))))
    (i64.store (local.get $to) (i64.const 0))
    (i32.const 0))
  (func (export "random_get") (param $to i32) (param $n i32) (result i32)
    (if (global.get $in_call)
      (then (return (call $random (local.get $to) (local.get $n)))))
    (memory.fill (local.get $to) (i32.const 0) (local.get $n))
    (i32.const 0)))
