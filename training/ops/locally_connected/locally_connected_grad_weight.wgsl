const THREADS = 0u;
const BATCH = 0;
const IN_HEIGHT = 0;
const IN_WIDTH = 0;
const OUT_HEIGHT = 0;
const OUT_WIDTH = 0;
const IN_VECTORS = 0;
const OUT_VECTORS = 0;
const KERNEL_HEIGHT = 0;
const KERNEL_WIDTH = 0;
const STRIDE_Y = 0;
const STRIDE_X = 0;
const PAD_TOP = 0;
const PAD_LEFT = 0;
const ACCUMULATE = false;

@group(0) @binding(0) var<storage, read> input: array<Stored4>;
@group(0) @binding(1) var<storage, read> grad_output: array<Stored4>;
@group(0) @binding(2) var<storage, read_write> grad_weights: array<vec4f>;

// Four channels in by four channels out of one tap of one place, over the batch.
@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let at = (group.y * groups.x + group.x) * 64u + lane;
  if (at >= THREADS) {
    return;
  }
  let thread = i32(at);
  let o = thread % OUT_VECTORS;
  let c = thread / OUT_VECTORS % IN_VECTORS;
  let tap = thread / (OUT_VECTORS * IN_VECTORS);
  let s = tap % KERNEL_WIDTH;
  let r = tap / KERNEL_WIDTH % KERNEL_HEIGHT;
  let place = tap / (KERNEL_WIDTH * KERNEL_HEIGHT);
  let y = place / OUT_WIDTH * STRIDE_Y - PAD_TOP + r;
  let x = place % OUT_WIDTH * STRIDE_X - PAD_LEFT + s;
  var sums: array<vec4f, 4>;
  if (y >= 0 && y < IN_HEIGHT && x >= 0 && x < IN_WIDTH) {
    for (var image = 0; image < BATCH; image++) {
      let value = vec4f(input[((image * IN_HEIGHT + y) * IN_WIDTH + x) * IN_VECTORS + c]);
      let gradient = vec4f(grad_output[(image * OUT_HEIGHT * OUT_WIDTH + place) * OUT_VECTORS + o]);
      for (var i = 0; i < 4; i++) {
        sums[i] += value[i] * gradient;
      }
    }
  }
  let row = (tap * IN_VECTORS + c) * 4 * OUT_VECTORS + o;
  for (var i = 0; i < 4; i++) {
    if (ACCUMULATE) {
      grad_weights[row + i * OUT_VECTORS] += sums[i];
    } else {
      grad_weights[row + i * OUT_VECTORS] = sums[i];
    }
  }
}
