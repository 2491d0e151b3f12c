;; A start function that never returns.
(module (memory (export "memory") 1) (func $s (loop br 0)) (start $s) (func (export "execute") (result i32) i32.const 0))
