;; Divides by zero.
(module (memory (export "memory") 1) (func (export "execute") (result i32) (i32.div_s (i32.const 1) (i32.const 0))))
