;; Copies 60 MiB about for ever: few yields, each far from the next.
(module (memory (export "memory") 960) (func (export "execute") (result i32)
  (loop (memory.fill (i32.const 0) (i32.const 1) (i32.const 62914560)) br 0) i32.const 0))
