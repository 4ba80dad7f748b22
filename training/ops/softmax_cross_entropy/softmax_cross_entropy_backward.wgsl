const BATCH = 0u;
const CLASSES = 0u;
const STRIDE = 0u;
const SHARE = 1f;

@group(0) @binding(0) var<storage, read> probabilities: array<vec4f>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> grad_logits: array<Stored4>;
@group(0) @binding(3) var<storage, read_write> loss_scale: LossScale;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let item = id.x;
  if (item >= BATCH * STRIDE / 4u) {
    return;
  }
  let image = item / (STRIDE / 4u);
  let first = item % (STRIDE / 4u) * 4u;
  let here = vec4u(first, first + 1u, first + 2u, first + 3u) == vec4u(labels[image]);
  let gradient = probabilities[item] - select(vec4f(), vec4f(1f), here);
  grad_logits[item] = Stored4(gradient * SHARE * loss_scale.scale);
  if (item == 0u) {
    loss_scale.of_gradients = loss_scale.scale;
  }
}
