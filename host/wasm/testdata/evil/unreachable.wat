;; Traps at once.
(module (memory (export "memory") 1) (func (export "execute") (result i32) unreachable))
