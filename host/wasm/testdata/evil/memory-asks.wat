;; Grows its memory until it is refused, and then ends well: that is no fault.
(module (memory (export "memory") 1) (func (export "execute") (result i32)
  (loop (br_if 0 (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) i32.const 0))
