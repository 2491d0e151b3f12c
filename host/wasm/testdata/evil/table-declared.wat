;; Declares 10 million table elements.
(module (table 10000000 funcref) (memory (export "memory") 1) (func (export "execute") (result i32) i32.const 0))
