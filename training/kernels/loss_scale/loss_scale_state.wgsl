// See loss_scale.ts; all zero but the scales at the start.
struct LossScale {
  // What the loss of the next step is multiplied by, and what that of the gradients at hand was.
  scale: f32,
  of_gradients: f32,
  // Updates since the scale changed, and updates left out since the start.
  good_steps: u32,
  skipped: u32,
  // Not zero where a gradient at hand is not finite.
  overflow: atomic<u32>,
}

