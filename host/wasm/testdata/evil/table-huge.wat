;; Declares as many table elements as the format can name.
(module (table 4294967295 funcref) (memory (export "memory") 1) (func (export "execute") (result i32) i32.const 0))
