;; An export that never returns.
(module (memory (export "memory") 1) (func (export "execute") (result i32) (loop br 0) i32.const 0))
