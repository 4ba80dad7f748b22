const THREADS = 0u;
const OUT_HEIGHT = 0;
const OUT_WIDTH = 0;
const PIXEL_VECTORS = 0;

@group(0) @binding(0) var<storage, read> input: array<Stored4>;
@group(0) @binding(1) var<storage, read_write> output: array<Stored4>;

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
  let u = pixel % OUT_WIDTH;
  let v = pixel / OUT_WIDTH % OUT_HEIGHT;
  let image = pixel / (OUT_WIDTH * OUT_HEIGHT);
  var sum = vec4f();
  // Constant bounds unroll; what is outside is loaded elsewhere and left aside.
  for (var r = 0; r < KERNEL_HEIGHT; r++) {
    for (var s = 0; s < KERNEL_WIDTH; s++) {
      let y = v * STRIDE_Y - PAD_TOP + r;
      let x = u * STRIDE_X - PAD_LEFT + s;
      let inside = y >= 0 && y < IN_HEIGHT && x >= 0 && x < IN_WIDTH;
      let row = image * IN_HEIGHT + clamp(y, 0, IN_HEIGHT - 1);
      let value = vec4f(input[(row * IN_WIDTH + clamp(x, 0, IN_WIDTH - 1)) * PIXEL_VECTORS + vector]);
      sum += select(vec4f(), value, inside);
    }
  }
  output[at] = Stored4(sum / f32(window_count(v, u)));
}
