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
const IMAGES = 4;

@group(0) @binding(0) var<storage, read> input: array<Stored4>;
@group(0) @binding(1) var<storage, read> weights: array<Stored4>;
@group(0) @binding(2) var<storage, read> biases: array<Stored4>;
@group(0) @binding(3) var<storage, read_write> output: array<Stored4>;

// Four images by four channels of one place.
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
  let place = thread / OUT_VECTORS % (OUT_HEIGHT * OUT_WIDTH);
  let first = thread / (OUT_VECTORS * OUT_HEIGHT * OUT_WIDTH) * IMAGES;
  let top = place / OUT_WIDTH * STRIDE_Y - PAD_TOP;
  let left = place % OUT_WIDTH * STRIDE_X - PAD_LEFT;
  var sums: array<vec4f, IMAGES>;
  for (var r = 0; r < KERNEL_HEIGHT; r++) {
    for (var s = 0; s < KERNEL_WIDTH; s++) {
      let y = top + r;
      let x = left + s;
      if (y < 0 || y >= IN_HEIGHT || x < 0 || x >= IN_WIDTH) {
        continue;
      }
      let tap = (place * KERNEL_HEIGHT + r) * KERNEL_WIDTH + s;
      for (var c = 0; c < IN_VECTORS; c++) {
        let row = (tap * IN_VECTORS + c) * 4 * OUT_VECTORS + o;
        let w_0 = vec4f(weights[row]);
        let w_1 = vec4f(weights[row + OUT_VECTORS]);
        let w_2 = vec4f(weights[row + 2 * OUT_VECTORS]);
        let w_3 = vec4f(weights[row + 3 * OUT_VECTORS]);
        for (var i = 0; i < IMAGES; i++) {
          // An image after the last is the last once more, and is not stored.
          let image = min(first + i, BATCH - 1);
          let value = vec4f(input[((image * IN_HEIGHT + y) * IN_WIDTH + x) * IN_VECTORS + c]);
          sums[i] += value.x * w_0 + value.y * w_1 + value.z * w_2 + value.w * w_3;
        }
      }
    }
  }
  let own = place * OUT_VECTORS + o;
  for (var i = 0; i < IMAGES && first + i < BATCH; i++) {
    output[(first + i) * OUT_HEIGHT * OUT_WIDTH * OUT_VECTORS + own] = Stored4(sums[i] + vec4f(biases[own]));
  }
}
