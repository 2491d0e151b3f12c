;; An initialisation that never returns.
(module (memory (export "memory") 1) (func (export "_initialize") (loop br 0)) (func (export "execute") (result i32) i32.const 0))
