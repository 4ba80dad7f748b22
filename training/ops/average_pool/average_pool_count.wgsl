const IN_HEIGHT = 0;
const IN_WIDTH = 0;
const KERNEL_HEIGHT = 0;
const KERNEL_WIDTH = 0;
const STRIDE_Y = 0;
const STRIDE_X = 0;
const PAD_TOP = 0;
const PAD_LEFT = 0;

// Places of window [v, u] that lie in the image.
fn window_count(v: i32, u: i32) -> i32 {
  let top = v * STRIDE_Y - PAD_TOP;
  let left = u * STRIDE_X - PAD_LEFT;
  let rows = min(top + KERNEL_HEIGHT, IN_HEIGHT) - max(top, 0);
  let columns = min(left + KERNEL_WIDTH, IN_WIDTH) - max(left, 0);
  return rows * columns;
}

