;; Between the engine and the host. The engine calls host_call for the one host function that JavaScript sees, __host(op,
;; text, number); the host calls _initialize once, and then one of the exports at the end.
(module
  (import "engine" "memory" (memory 0))
  (import "engine" "_initialize" (func $start))
  (import "engine" "wasm_malloc" (func $malloc (param i32) (result i32)))
  (import "engine" "wasm_free" (func $free (param i32)))
  (import "engine" "qjs_init" (func $init (result i32)))
  (import "engine" "qjs_set_max_stack_size" (func $set_stack (param i32)))
  (import "engine" "qjs_eval" (func $eval (param i32 i32 i32 i32) (result i32)))
  (import "engine" "qjs_call" (func $call (param i32 i32 i32 i32) (result i32)))
  (import "engine" "qjs_execute_pending_job" (func $job (result i32)))
  (import "engine" "qjs_new_string" (func $string (param i32 i32) (result i32)))
  (import "engine" "qjs_new_number" (func $number (param f64) (result i32)))
  (import "engine" "qjs_get_undefined" (func $undefined (result i32)))
  (import "engine" "qjs_get_float64" (func $float (param i32) (result f64)))
  (import "engine" "qjs_get_string_len" (func $text (param i32 i32) (result i32)))
  (import "engine" "qjs_free_cstring" (func $free_text (param i32)))
  (import "engine" "qjs_free_value" (func $drop_value (param i32)))
  (import "engine" "qjs_is_exception" (func $is_exception (param i32) (result i32)))
  (import "engine" "qjs_get_exception" (func $exception (result i32)))
  (import "engine" "qjs_get_global" (func $global (result i32)))
  (import "engine" "qjs_set_prop_string" (func $set (param i32 i32 i32) (result i32)))
  (import "engine" "qjs_new_host_function" (func $function (param i32 i32 i32) (result i32)))

  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "length" (func $block_length (param i64) (result i64)))
  (import "extism:host/env" "error_set" (func $error_set (param i64)))
  (import "culm:host/v1" "input_read" (func $input_read (param i32 i32 i32) (result i32)))
  (import "culm:host/v1" "output_write" (func $output_write (param i32 i32)))
  (import "culm:host/v1" "block_read" (func $block_read (param i64 i32 i32) (result i32)))
  (import "culm:host/v1" "block_write" (func $block_write (param i32 i32) (result i64)))
  (import "culm:host/v1" "gateway_call" (func $gateway (param i64) (result i64)))
  (import "culm:host/v1" "eval" (func $evaluate (param i64) (result i64)))
  (import "culm:host/v1" "log" (func $log (param i32 i64)))
  (import "culm:host/v1" "progress" (func $progress (param i32 i64)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))

  ;; Both lie at the far end of the engine's stack, a megabyte that begins at 0, and are gone before the first call.
  (data (i32.const 16) "__host\00plugin.js\00__call\00executeresumecancelrollbackoptions")
  ;; The second one holds the length of the source and the source; build.js puts them in the place of this one's text.
  (data (i32.const 124) "culm:source")

  (global $in_call (export "in_call") (mut i32) (i32.const 0))
  (global $words_at (mut i32) (i32.const 0))
  (global $function_at (mut i32) (i32.const 0)) ;; the JavaScript function __call, or what was thrown
  (global $broken (mut i32) (i32.const 0))      ;; 1: loading threw

  ;; ---- the engine's other questions, which a plugin never asks ----
  (func (export "host_get_timezone_offset") (param i32 i32) (result i32) (i32.const 0))
  (func (export "host_interrupt") (result i32) (i32.const 0))
  (func (export "host_promise_rejection") (param $promise i32) (param $reason i32) (param i32)
    (call $drop_value (local.get $promise))
    (call $drop_value (local.get $reason)))
  (func (export "host_module_normalize") (param i32 i32) (result i32) (i32.const 0))
  (func (export "host_module_load") (param i32 i32) (result i32) (i32.const 0))

  ;; answer makes a JavaScript string of a block.
  (func $answer (param $block i64) (result i32)
    (local $n i32) (local $at i32) (local $value i32)
    (local.set $n (i32.wrap_i64 (call $block_length (local.get $block))))
    (local.set $at (call $room (local.get $n)))
    (drop (call $block_read (local.get $block) (local.get $at) (local.get $n)))
    (local.set $value (call $string (local.get $at) (local.get $n)))
    (call $free (local.get $at))
    (local.get $value))

  ;; room is memory that is there.
  (func $room (param $n i32) (result i32)
    (local $at i32)
    (local.set $at (call $malloc (i32.add (local.get $n) (i32.const 1))))
    (if (i32.eqz (local.get $at)) (then (unreachable)))
    (local.get $at))

  (func $input (result i32)
    (local $n i32) (local $at i32) (local $value i32)
    (local.set $n (i32.wrap_i64 (call $input_length)))
    (local.set $at (call $room (local.get $n)))
    (drop (call $input_read (i32.const 0) (local.get $at) (local.get $n)))
    (local.set $value (call $string (local.get $at) (local.get $n)))
    (call $free (local.get $at))
    (local.get $value))

  ;; fraction is a random number from 0 to 1, of 53 bits as JavaScript's are.
  (func $fraction (result i32)
    (local $at i32)
    (local.set $at (call $room (i32.const 8)))
    (drop (call $random (local.get $at) (i32.const 8)))
    (call $number (f64.mul
      (f64.convert_i64_u (i64.shr_u (i64.load (local.get $at)) (i64.const 11)))
      (f64.const 0x1p-53)))
    (call $free (local.get $at)))

  (func $with_text (param $op i32) (param $at i32) (param $n i32) (param $number i32) (result i32)
    (local $block i64)
    (if (i32.eq (local.get $op) (i32.const 1))
      (then (call $output_write (local.get $at) (local.get $n)) (return (call $undefined))))
    (local.set $block (call $block_write (local.get $at) (local.get $n)))
    (if (i32.eq (local.get $op) (i32.const 2)) (then (call $error_set (local.get $block))))
    (if (i32.eq (local.get $op) (i32.const 3)) (then (return (call $answer (call $gateway (local.get $block))))))
    (if (i32.eq (local.get $op) (i32.const 4)) (then (call $log (local.get $number) (local.get $block))))
    (if (i32.eq (local.get $op) (i32.const 5)) (then (call $progress (local.get $number) (local.get $block))))
    (if (i32.eq (local.get $op) (i32.const 6)) (then (return (call $answer (call $evaluate (local.get $block))))))
    (call $undefined))

  (func (export "host_call") (param $name i32) (param $name_length i32) (param $this i32) (param $argc i32) (param $argv i32) (result i32)
    (local $op i32) (local $size i32) (local $at i32) (local $value i32)
    (if (i32.ne (local.get $argc) (i32.const 3)) (then (return (call $undefined))))
    (local.set $op (i32.trunc_sat_f64_s (call $float (i32.load (local.get $argv)))))
    (if (i32.eqz (local.get $op)) (then (return (call $input))))
    (if (i32.eq (local.get $op) (i32.const 7)) (then (return (call $fraction))))
    (local.set $size (call $room (i32.const 4)))
    (local.set $at (call $text (i32.load offset=4 (local.get $argv)) (local.get $size)))
    (if (i32.eqz (local.get $at)) (then (unreachable)))
    (local.set $value (call $with_text (local.get $op) (local.get $at) (i32.load (local.get $size))
      (i32.trunc_sat_f64_s (call $float (i32.load offset=8 (local.get $argv))))))
    (call $free_text (local.get $at))
    (call $free (local.get $size))
    (local.get $value))

  ;; word is the address of a word.
  (func $word (param $offset i32) (result i32) (i32.add (global.get $words_at) (local.get $offset)))

  ;; Evaluates the source, and keeps the function that calls begin with. The memory after this is where every call begins.
  (func (export "_initialize")
    (call $start)
    (if (call $init) (then (unreachable)))
    (call $set_stack (i32.const 0x70000)) ;; deeper recursion is an error of JavaScript's
    (global.set $words_at (call $room (i32.const 64)))
    (memory.copy (global.get $words_at) (i32.const 16) (i32.const 58))
    (drop (call $set (call $global) (call $word (i32.const 0)) (call $function (call $word (i32.const 0)) (i32.const 6) (i32.const 3))))
    (global.set $function_at (call $eval (i32.const 128) (i32.load (i32.const 124)) (call $word (i32.const 7)) (i32.const 0)))
    (memory.fill (i32.const 16) (i32.const 0) (i32.add (i32.const 112) (i32.load (i32.const 124))))
    (global.set $broken (call $is_exception (global.get $function_at)))
    (if (global.get $broken)
      (then (global.set $function_at (call $exception)))
      (else
        (call $jobs)
        (global.set $function_at (call $eval (call $word (i32.const 17)) (i32.const 6) (call $word (i32.const 7)) (i32.const 0)))))
    (global.set $in_call (i32.const 1)))

  (func $jobs
    (loop $more (br_if $more (i32.gt_s (call $job) (i32.const 0)))))

  ;; thrown ends the call with what was thrown as its text.
  (func $thrown (param $value i32) (result i32)
    (local $size i32) (local $at i32)
    (local.set $size (call $room (i32.const 4)))
    (local.set $at (call $text (local.get $value) (local.get $size)))
    (if (i32.eqz (local.get $at)) (then (unreachable)))
    (call $error_set (call $block_write (local.get $at) (i32.load (local.get $size))))
    (i32.const 1))

  (func $say (param $word i32) (param $n i32) (result i32)
    (local $argv i32)
    (local.set $argv (call $room (i32.const 4)))
    (i32.store (local.get $argv) (call $string (call $word (local.get $word)) (local.get $n)))
    (call $call (global.get $function_at) (call $undefined) (i32.const 1) (local.get $argv)))

  ;; run begins a call, lets promises run to their end, and asks how it went.
  (func $run (param $word i32) (param $n i32) (result i32)
    (local $value i32)
    (if (global.get $broken) (then (return (call $thrown (global.get $function_at)))))
    (local.set $value (call $say (local.get $word) (local.get $n)))
    (if (call $is_exception (local.get $value)) (then (return (call $thrown (call $exception)))))
    (call $jobs)
    (local.set $value (call $say (i32.const 0) (i32.const 0)))
    (if (call $is_exception (local.get $value)) (then (return (call $thrown (call $exception)))))
    (i32.trunc_sat_f64_s (call $float (local.get $value))))

  (func (export "execute") (result i32) (call $run (i32.const 24) (i32.const 7)))
  (func (export "resume") (result i32) (call $run (i32.const 31) (i32.const 6)))
  (func (export "cancel") (result i32) (call $run (i32.const 37) (i32.const 6)))
  (func (export "rollback") (result i32) (call $run (i32.const 43) (i32.const 8)))
  (func (export "options") (result i32) (call $run (i32.const 51) (i32.const 7))))
