const BATCH = 0u;
const SIDE = 0u;
const CROP = 0u;
const CHANNELS = 0u;
const SCALE_0 = 1f;
const SCALE_1 = 1f;
const SCALE_2 = 1f;

@group(0) @binding(0) var<storage, read> records: array<u32>;
@group(0) @binding(1) var<storage, read> crops: array<u32>;
// Shift of red, green and blue, and a factor, for each image.
@group(0) @binding(2) var<storage, read> colors: array<vec4f>;
@group(0) @binding(3) var<storage, read> means: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> images: array<Stored4>;

fn pixel(at: u32) -> f32 {
  return f32(records[at / 4u] >> (at % 4u * 8u) & 0xffu);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let item = (group.y * groups.x + group.x) * 64u + lane;
  if (item >= BATCH * CROP * CROP) {
    return;
  }
  let image = item / (CROP * CROP);
  let word = crops[image];
  var x = item % CROP;
  if ((word >> 24u) != 0u) {
    x = CROP - 1u - x;
  }
  x += word & 0xfffu;
  let y = item / CROP % CROP + (word >> 12u & 0xfffu);
  let at = ((image * SIDE + y) * SIDE + x) * CHANNELS;
  var value = vec4f(pixel(at), 0f, 0f, 0f);
  var scale = vec4f(SCALE_0, 0f, 0f, 0f);
  if (CHANNELS == 3u) {
    value.y = pixel(at + 1u);
    value.z = pixel(at + 2u);
    scale = vec4f(SCALE_0, SCALE_1, SCALE_2, 0f);
  }
  let color = colors[image];
  // Sums before products: nothing that a compiler could fuse, so the bits are those of the reference.
  let shifted = value - means[item % (CROP * CROP)] + color;
  images[item] = Stored4(shifted * (scale * color.w));
}
