const BATCH = 0u;
const CLASSES = 0u;
const STRIDE = 0u;
const TOP = 5u;

@group(0) @binding(0) var<storage, read> logits: array<Stored>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read_write> probabilities: array<f32>;
@group(0) @binding(3) var<storage, read_write> losses: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let image = id.x;
  if (image >= BATCH) {
    return;
  }
  let row = image * STRIDE;
  var highest = -3.402823e38f;
  for (var c = 0u; c < CLASSES; c++) {
    highest = max(highest, f32(logits[row + c]));
  }
  let label = min(labels[image], CLASSES - 1u);
  let own = f32(logits[row + label]);
  var sum = 0f;
  var above = 0u;
  for (var c = 0u; c < CLASSES; c++) {
    let logit = f32(logits[row + c]);
    sum += exp(logit - highest);
    above += select(0u, 1u, c != label && logit >= own);
  }
  let scale = 1f / sum;
  for (var c = 0u; c < STRIDE; c++) {
    var probability = 0f;
    if (c < CLASSES) {
      probability = exp(f32(logits[row + c]) - highest) * scale;
    }
    probabilities[row + c] = probability;
  }
  losses[image * 3u] = log(sum) + highest - own;
  losses[image * 3u + 1u] = select(0f, 1f, above >= 1u);
  losses[image * 3u + 2u] = select(0f, 1f, above >= TOP);
}
