const THREADS = 0u;
const TOWER_VECTORS = 0u;
const VECTORS_PER_THREAD = 0u;
const HALF = 0;
const ALPHA_PER_CHANNEL = 0f;
const BIAS = 0f;

// Of each channel of `here` the sum over its window; `before` and `after` are the vectors beside it.
fn window_sum(before: vec4f, here: vec4f, after: vec4f) -> vec4f {
  var sum = here;
  if (HALF >= 1) {
    sum += vec4f(before.w, here.xyz) + vec4f(here.yzw, after.x);
  }
  if (HALF >= 2) {
    sum += vec4f(before.zw, here.xy) + vec4f(here.zw, after.xy);
  }
  if (HALF >= 3) {
    sum += vec4f(before.yzw, here.x) + vec4f(here.w, after.xyz);
  }
  if (HALF >= 4) {
    sum += before + after;
  }
  return sum;
}

fn base(before: vec4f, here: vec4f, after: vec4f) -> vec4f {
  return BIAS + ALPHA_PER_CHANNEL * window_sum(before, here, after);
}

// The vectors [first, end) of the tower that begins at vector `tower`.
struct Walk {
  tower: u32,
  first: u32,
  end: u32,
}

fn walk_of(thread: u32) -> Walk {
  let walks = (TOWER_VECTORS + VECTORS_PER_THREAD - 1u) / VECTORS_PER_THREAD;
  let first = thread % walks * VECTORS_PER_THREAD;
  let end = min(first + VECTORS_PER_THREAD, TOWER_VECTORS);
  return Walk(thread / walks * TOWER_VECTORS, first, end);
}
