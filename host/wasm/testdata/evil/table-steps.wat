;; Grows its table step by step for as long as it may, and traps.
(module (table $t 1 funcref) (memory (export "memory") 1) (func (export "execute") (result i32)
  (loop (br_if 0 (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1)))) unreachable))
