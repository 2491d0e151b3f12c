;; Has no memory at all, which is no fault; spins for ever nevertheless in the second export.
(module (func (export "execute") (result i32) i32.const 0) (func (export "spin") (result i32) (loop br 0) i32.const 0))
