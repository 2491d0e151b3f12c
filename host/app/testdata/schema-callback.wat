;; Hands its callback token to a system, and waits for a callback that fits a schema: an object with a whole number "n".
;; What called back is not looked at. Built with wat2wasm of wabt.
(module
  (import "culm:host/v1" "gateway_call" (func $call (param i64) (result i64)))
  (import "culm:host/v1" "block_write" (func $write (param i32 i32) (result i64)))
  (import "culm:host/v1" "output_write" (func $out (param i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "{\"system\":\"jobs\",\"operation\":\"start\",\"body\":{\"hook\":\"culm-callback-token-put-in-by-the-gateway\"}}")
  (data (i32.const 256) "{\"status\":\"waiting\",\"wait\":{\"kind\":\"callback\",\"schema\":{\"type\":\"object\",\"required\":[\"n\"],\"properties\":{\"n\":{\"type\":\"integer\"}}}}}")
  (data (i32.const 512) "{\"status\":\"succeeded\",\"outputs\":{}}")
  (func (export "execute") (result i32)
    (drop (call $call (call $write (i32.const 0) (i32.const 97))))
    (call $out (i32.const 256) (i32.const 129))
    (i32.const 0))
  (func (export "resume") (result i32)
    (call $out (i32.const 512) (i32.const 35))
    (i32.const 0)))
