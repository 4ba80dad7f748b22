const GROWTH_INTERVAL = 0u;
const LEAST = 0f;
const MOST = 0f;

@group(0) @binding(0) var<storage, read_write> loss_scale: LossScale;

@compute @workgroup_size(1)
fn main() {
  if (atomicLoad(&loss_scale.overflow) != 0u) {
    loss_scale.scale = max(LEAST, loss_scale.scale * 0.5);
    loss_scale.good_steps = 0u;
    loss_scale.skipped++;
    atomicStore(&loss_scale.overflow, 0u);
    return;
  }
  loss_scale.good_steps++;
  if (loss_scale.good_steps == GROWTH_INTERVAL) {
    loss_scale.scale = min(MOST, loss_scale.scale * 2.0);
    loss_scale.good_steps = 0u;
  }
}
