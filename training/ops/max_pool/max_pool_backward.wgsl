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
const BLOCKS_Y = 0;
const BLOCKS_X = 0;
// Windows that begin in a block's own place or before it and reach into it.
const REACH_Y = 0;
const REACH_X = 0;

@group(0) @binding(0) var<storage, read> places: array<u32>;
@group(0) @binding(1) var<storage, read> grad_output: array<Stored4>;
@group(0) @binding(2) var<storage, read_write> grad_input: array<Stored4>;

// A thread takes a block as large as the strides, because the same windows lie over all of it.
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
  let block = i32(at) / PIXEL_VECTORS;
  let block_x = block % BLOCKS_X;
  let block_y = block / BLOCKS_X % BLOCKS_Y;
  let image = block / (BLOCKS_X * BLOCKS_Y);
  var place_of: array<vec4u, REACH_Y * REACH_X>;
  var gradients: array<vec4f, REACH_Y * REACH_X>;
  for (var i = 0; i < REACH_Y; i++) {
    for (var j = 0; j < REACH_X; j++) {
      let v = block_y - i;
      let u = block_x - j;
      let inside = v >= 0 && v < OUT_HEIGHT && u >= 0 && u < OUT_WIDTH;
      let row = image * OUT_HEIGHT + clamp(v, 0, OUT_HEIGHT - 1);
      let window = (row * OUT_WIDTH + clamp(u, 0, OUT_WIDTH - 1)) * PIXEL_VECTORS + vector;
      let packed = vec4u(places[window]) >> vec4u(0u, 8u, 16u, 24u);
      place_of[i * REACH_X + j] = packed & vec4u(0xffu);
      gradients[i * REACH_X + j] = select(vec4f(), vec4f(grad_output[window]), inside);
    }
  }
  for (var dy = 0; dy < STRIDE_Y; dy++) {
    for (var dx = 0; dx < STRIDE_X; dx++) {
      let y = block_y * STRIDE_Y + dy - PAD_TOP;
      let x = block_x * STRIDE_X + dx - PAD_LEFT;
      if (y < 0 || y >= IN_HEIGHT || x < 0 || x >= IN_WIDTH) {
        continue;
      }
      var sum = vec4f();
      for (var i = 0; i < REACH_Y; i++) {
        for (var j = 0; j < REACH_X; j++) {
          let r = i * STRIDE_Y + dy;
          let s = j * STRIDE_X + dx;
          if (r < KERNEL_HEIGHT && s < KERNEL_WIDTH) {
            let here = place_of[i * REACH_X + j] == vec4u(u32(r * KERNEL_WIDTH + s));
            sum += select(vec4f(), gradients[i * REACH_X + j], here);
          }
        }
      }
      let pixel = (image * IN_HEIGHT + y) * IN_WIDTH + x;
      grad_input[pixel * PIXEL_VECTORS + vector] = Stored4(sum);
    }
  }
}
