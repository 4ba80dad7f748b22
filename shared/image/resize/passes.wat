;; The two passes of resize.ts, in WebAssembly for its vectors of 128 bits; `passes.wasm` is this file
;; assembled (passes_test.ts compares them and says how to write it anew).
;;
;; A sample has 8 bits, a weight 23: weights are split into a low part of 11 bits and the high rest, so
;; that i32x4.dot_i16x8_s weighs two taps at once in four lanes. $low and $high hold, for each target
;; sample, $tapBytes of pairs of 16-bit weights, zero beyond the `pairs` that count.
;;
;; Loads are of 8 bytes and stores of 4 or 8: buffers need as much room behind their end, and `down`
;; may read a row more.
(module
  (memory (export "memory") 1)

  ;; Rows of RGB, $stride bytes each, to rows of $width pixels. $starts: byte of the first tap in a row.
  (func (export "acrossRgb")
    (param $source i32) (param $stride i32) (param $rows i32)
    (param $starts i32) (param $pairs i32) (param $low i32) (param $high i32) (param $tapBytes i32)
    (param $target i32) (param $width i32)
    (local $x i32) (local $at i32) (local $tap i32) (local $left i32)
    (local $samples v128) (local $lows v128) (local $highs v128)
    (loop $row
      (local.set $x (i32.const 0))
      (loop $pixel
        (local.set $at (i32.add (local.get $source)
          (i32.load (i32.add (local.get $starts) (i32.shl (local.get $x) (i32.const 2))))))
        (local.set $left
          (i32.load (i32.add (local.get $pairs) (i32.shl (local.get $x) (i32.const 2)))))
        (local.set $tap (i32.mul (local.get $x) (local.get $tapBytes)))
        (local.set $lows (v128.const i32x4 0 0 0 0))
        (local.set $highs (v128.const i32x4 0 0 0 0))
        (loop $pair
          ;; r0 g0 b0 r1 g1 b1 as 16 bits to r0 r1 g0 g1 b0 b1
          (local.set $samples (v128.load8x8_u (local.get $at)))
          (local.set $samples (i8x16.shuffle 0 1 6 7 2 3 8 9 4 5 10 11 12 13 14 15
            (local.get $samples) (local.get $samples)))
          (local.set $lows (i32x4.add (local.get $lows)
            (i32x4.dot_i16x8_s (local.get $samples)
              (v128.load32_splat (i32.add (local.get $low) (local.get $tap))))))
          (local.set $highs (i32x4.add (local.get $highs)
            (i32x4.dot_i16x8_s (local.get $samples)
              (v128.load32_splat (i32.add (local.get $high) (local.get $tap))))))
          (local.set $at (i32.add (local.get $at) (i32.const 6)))
          (local.set $tap (i32.add (local.get $tap) (i32.const 4)))
          (br_if $pair
            (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (local.set $samples (call $rounded (local.get $lows) (local.get $highs)))
        (v128.store32_lane 0 (local.get $target)
          (i8x16.narrow_i16x8_u (local.get $samples) (local.get $samples)))
        (local.set $target (i32.add (local.get $target) (i32.const 3)))
        (br_if $pixel (i32.lt_u
          (local.tee $x (i32.add (local.get $x) (i32.const 1))) (local.get $width))))
      (local.set $source (i32.add (local.get $source) (local.get $stride)))
      (br_if $row (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  ;; The same of luma: four pairs of taps at once, whose lanes add up.
  (func (export "acrossLuma")
    (param $source i32) (param $stride i32) (param $rows i32)
    (param $starts i32) (param $pairs i32) (param $low i32) (param $high i32) (param $tapBytes i32)
    (param $target i32) (param $width i32)
    (local $x i32) (local $at i32) (local $tap i32) (local $left i32)
    (local $samples v128) (local $lows v128) (local $highs v128)
    (loop $row
      (local.set $x (i32.const 0))
      (loop $pixel
        (local.set $at (i32.add (local.get $source)
          (i32.load (i32.add (local.get $starts) (i32.shl (local.get $x) (i32.const 2))))))
        (local.set $left
          (i32.load (i32.add (local.get $pairs) (i32.shl (local.get $x) (i32.const 2)))))
        (local.set $tap (i32.mul (local.get $x) (local.get $tapBytes)))
        (local.set $lows (v128.const i32x4 0 0 0 0))
        (local.set $highs (v128.const i32x4 0 0 0 0))
        (loop $fourPairs
          (local.set $samples (v128.load8x8_u (local.get $at)))
          (local.set $lows (i32x4.add (local.get $lows)
            (i32x4.dot_i16x8_s (local.get $samples)
              (v128.load (i32.add (local.get $low) (local.get $tap))))))
          (local.set $highs (i32x4.add (local.get $highs)
            (i32x4.dot_i16x8_s (local.get $samples)
              (v128.load (i32.add (local.get $high) (local.get $tap))))))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (local.set $tap (i32.add (local.get $tap) (i32.const 16)))
          (br_if $fourPairs (i32.gt_s
            (local.tee $left (i32.sub (local.get $left) (i32.const 4))) (i32.const 0))))
        (local.set $samples
          (call $rounded (call $total (local.get $lows)) (call $total (local.get $highs))))
        (v128.store8_lane 0 (local.get $target)
          (i8x16.narrow_i16x8_u (local.get $samples) (local.get $samples)))
        (local.set $target (i32.add (local.get $target) (i32.const 1)))
        (br_if $pixel (i32.lt_u
          (local.tee $x (i32.add (local.get $x) (i32.const 1))) (local.get $width))))
      (local.set $source (i32.add (local.get $source) (local.get $stride)))
      (br_if $row (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  ;; Rows of $stride samples to $height of them. $starts: byte of the first tap's row.
  (func (export "down")
    (param $source i32) (param $stride i32)
    (param $starts i32) (param $pairs i32) (param $low i32) (param $high i32) (param $tapBytes i32)
    (param $target i32) (param $height i32)
    (local $x i32) (local $y i32) (local $at i32) (local $tap i32) (local $left i32)
    (local $above v128) (local $below v128) (local $first v128) (local $second v128)
    (local $weights v128)
    (local $lows0 v128) (local $lows1 v128) (local $highs0 v128) (local $highs1 v128)
    (loop $row
      (local.set $x (i32.const 0))
      (loop $eightSamples
        (local.set $at (i32.add (i32.add (local.get $source) (local.get $x))
          (i32.load (i32.add (local.get $starts) (i32.shl (local.get $y) (i32.const 2))))))
        (local.set $left
          (i32.load (i32.add (local.get $pairs) (i32.shl (local.get $y) (i32.const 2)))))
        (local.set $tap (i32.mul (local.get $y) (local.get $tapBytes)))
        (local.set $lows0 (v128.const i32x4 0 0 0 0))
        (local.set $lows1 (v128.const i32x4 0 0 0 0))
        (local.set $highs0 (v128.const i32x4 0 0 0 0))
        (local.set $highs1 (v128.const i32x4 0 0 0 0))
        (loop $pair
          (local.set $above (v128.load8x8_u (local.get $at)))
          (local.set $at (i32.add (local.get $at) (local.get $stride)))
          (local.set $below (v128.load8x8_u (local.get $at)))
          (local.set $at (i32.add (local.get $at) (local.get $stride)))
          ;; Samples of two rows, side by side.
          (local.set $first (i8x16.shuffle 0 1 16 17 2 3 18 19 4 5 20 21 6 7 22 23
            (local.get $above) (local.get $below)))
          (local.set $second (i8x16.shuffle 8 9 24 25 10 11 26 27 12 13 28 29 14 15 30 31
            (local.get $above) (local.get $below)))
          (local.set $weights (v128.load32_splat (i32.add (local.get $low) (local.get $tap))))
          (local.set $lows0 (i32x4.add (local.get $lows0)
            (i32x4.dot_i16x8_s (local.get $first) (local.get $weights))))
          (local.set $lows1 (i32x4.add (local.get $lows1)
            (i32x4.dot_i16x8_s (local.get $second) (local.get $weights))))
          (local.set $weights (v128.load32_splat (i32.add (local.get $high) (local.get $tap))))
          (local.set $highs0 (i32x4.add (local.get $highs0)
            (i32x4.dot_i16x8_s (local.get $first) (local.get $weights))))
          (local.set $highs1 (i32x4.add (local.get $highs1)
            (i32x4.dot_i16x8_s (local.get $second) (local.get $weights))))
          (local.set $tap (i32.add (local.get $tap) (i32.const 4)))
          (br_if $pair
            (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (v128.store64_lane 0 (i32.add (local.get $target) (local.get $x))
          (i8x16.narrow_i16x8_u
            (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23
              (call $rounded (local.get $lows0) (local.get $highs0))
              (call $rounded (local.get $lows1) (local.get $highs1)))
            (v128.const i32x4 0 0 0 0)))
        (br_if $eightSamples (i32.lt_u
          (local.tee $x (i32.add (local.get $x) (i32.const 8))) (local.get $stride))))
      (local.set $target (i32.add (local.get $target) (local.get $stride)))
      (br_if $row (i32.lt_u
        (local.tee $y (i32.add (local.get $y) (i32.const 1))) (local.get $height)))))

  ;; Sums of both parts to whole numbers, rounded to nearest, in the first four of eight lanes.
  (func $rounded (param $lows v128) (param $highs v128) (result v128)
    (local.set $lows (i32x4.shr_u
      (i32x4.add
        (i32x4.add (local.get $lows) (i32x4.shl (local.get $highs) (i32.const 11)))
        (v128.const i32x4 0x200000 0x200000 0x200000 0x200000))
      (i32.const 22)))
    (i16x8.narrow_i32x4_u (local.get $lows) (local.get $lows)))

  ;; The sum of all lanes in each of them.
  (func $total (param $lanes v128) (result v128)
    (local.set $lanes (i32x4.add (local.get $lanes)
      (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $lanes) (local.get $lanes))))
    (i32x4.add (local.get $lanes)
      (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $lanes) (local.get $lanes)))))
