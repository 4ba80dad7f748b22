const THREADS = 0u;
const IN_HEIGHT = 0;
const IN_WIDTH = 0;
const OUT_HEIGHT = 0;
const OUT_WIDTH = 0;
const PIXEL_VECTORS = 0;
const KERNEL_HEIGHT = 0;
const KERNEL_WIDTH = 0;
const STRIDE_Y = 0;
const STRIDE_X = 0;
const PAD_TOP = 0;
const PAD_LEFT = 0;
// Whether any window reaches outside of the image.
const OVERHANGS = false;
const RELU = false;

@group(0) @binding(0) var<storage, read> input: array<Stored4>;
@group(0) @binding(1) var<storage, read_write> output: array<Stored4>;
// The place of each maximum in its window, row by row, a byte a channel.
@group(0) @binding(2) var<storage, read_write> places: array<u32>;

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
  let vector = i32(at) % PIXEL_VECTORS;
  let pixel = i32(at) / PIXEL_VECTORS;
  let left = pixel % OUT_WIDTH * STRIDE_X - PAD_LEFT;
  let top = pixel / OUT_WIDTH % OUT_HEIGHT * STRIDE_Y - PAD_TOP;
  let image = pixel / (OUT_WIDTH * OUT_HEIGHT);
  var best = vec4f(-3.402823e38);
  var place = vec4u();
  // Constant bounds unroll, and what is outside is loaded elsewhere and left aside: half the time of
  // bounds cut to the image on a software adapter (2026-11).
  for (var r = 0; r < KERNEL_HEIGHT; r++) {
    for (var s = 0; s < KERNEL_WIDTH; s++) {
      var y = top + r;
      var x = left + s;
      var inside = true;
      if (OVERHANGS) {
        inside = y >= 0 && y < IN_HEIGHT && x >= 0 && x < IN_WIDTH;
        y = clamp(y, 0, IN_HEIGHT - 1);
        x = clamp(x, 0, IN_WIDTH - 1);
      }
      let value = vec4f(input[((image * IN_HEIGHT + y) * IN_WIDTH + x) * PIXEL_VECTORS + vector]);
      let better = value > best & vec4<bool>(inside);
      best = select(best, value, better);
      place = select(place, vec4u(u32(r * KERNEL_WIDTH + s)), better);
    }
  }
  if (RELU) {
    best = max(best, vec4f());
  }
  output[at] = Stored4(best);
  places[at] = place.x | place.y << 8u | place.z << 16u | place.w << 24u;
}
