;; Ten million rounds of a xorshift generator.
(module (memory (export "memory") 1)
  (func (export "execute") (result i32) (local $n i32) (local $x i64)
    (local.set $n (i32.const 10000000)) (local.set $x (i64.const 88172645463325252))
    (loop $l
      (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 13))))
      (local.set $x (i64.xor (local.get $x) (i64.shr_u (local.get $x) (i64.const 7))))
      (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 17))))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (i32.wrap_i64 (i64.and (local.get $x) (i64.const 1)))))
