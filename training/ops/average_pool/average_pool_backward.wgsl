const THREADS = 0u;
const OUT_HEIGHT = 0;
const OUT_WIDTH = 0;
const PIXEL_VECTORS = 0;
const BLOCKS_Y = 0;
const BLOCKS_X = 0;
// Windows that begin in a block's own place or before it and reach into it.
const REACH_Y = 0;
const REACH_X = 0;

@group(0) @binding(0) var<storage, read> grad_output: array<Stored4>;
@group(0) @binding(1) var<storage, read_write> grad_input: array<Stored4>;

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
  var shares: array<vec4f, REACH_Y * REACH_X>;
  for (var i = 0; i < REACH_Y; i++) {
    for (var j = 0; j < REACH_X; j++) {
      let v = block_y - i;
      let u = block_x - j;
      let inside = v >= 0 && v < OUT_HEIGHT && u >= 0 && u < OUT_WIDTH;
      let row = image * OUT_HEIGHT + clamp(v, 0, OUT_HEIGHT - 1);
      let window = (row * OUT_WIDTH + clamp(u, 0, OUT_WIDTH - 1)) * PIXEL_VECTORS + vector;
      let share = vec4f(grad_output[window]) / f32(window_count(v, u));
      shares[i * REACH_X + j] = select(vec4f(), share, inside);
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
          if (i * STRIDE_Y + dy < KERNEL_HEIGHT && j * STRIDE_X + dx < KERNEL_WIDTH) {
            sum += shares[i * REACH_X + j];
          }
        }
      }
      let pixel = (image * IN_HEIGHT + y) * IN_WIDTH + x;
      grad_input[pixel * PIXEL_VECTORS + vector] = Stored4(sum);
    }
  }
}
