;; Calls a table element of another type.
(module (type $t (func (param f64))) (table 1 funcref) (elem (i32.const 0) $f) (memory (export "memory") 1)
  (func $f) (func (export "execute") (result i32) (call_indirect (type $t) (f64.const 0) (i32.const 0)) i32.const 0))
