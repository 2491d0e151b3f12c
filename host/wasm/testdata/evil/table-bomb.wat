;; Grows its table by 400 million elements and says whether it could.
(module (table $t 1 funcref) (memory (export "memory") 1)
  (func (export "execute") (result i32) (i32.ne (table.grow $t (ref.null func) (i32.const 400000000)) (i32.const -1))))
