;; Recursion without end.
(module (memory (export "memory") 1) (func $f (export "execute") (result i32) call $f drop i32.const 0))
