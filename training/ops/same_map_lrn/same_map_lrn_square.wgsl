const VECTORS = 0u;
const HEIGHT = 0;
const WIDTH = 0;
const PIXEL_VECTORS = 0;
const HALF = 0;

// The index of the vector that lies [dy, dx] pixels from the one at `at`; -1 outside of the image.
fn beside(at: i32, dy: i32, dx: i32) -> i32 {
  let pixel = at / PIXEL_VECTORS;
  let x = pixel % WIDTH + dx;
  let y = pixel / WIDTH % HEIGHT + dy;
  let inside = x >= 0 && x < WIDTH && y >= 0 && y < HEIGHT;
  return select(-1, at + (dy * WIDTH + dx) * PIXEL_VECTORS, inside);
}

