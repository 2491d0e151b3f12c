(module (import "env" "g" (global i32)) (memory (export "memory") 1) (func (export "execute") (result i32) i32.const 0))
