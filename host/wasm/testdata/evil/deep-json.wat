;; Answers with a thousand nested arrays.
(module (import "culm:host/v1" "output_write" (func $o (param i32 i32))) (memory (export "memory") 1)
  (func (export "execute") (result i32)
    (memory.fill (i32.const 0) (i32.const 91) (i32.const 1000)) (memory.fill (i32.const 1000) (i32.const 93) (i32.const 1000))
    (call $o (i32.const 0) (i32.const 2000)) i32.const 0))
