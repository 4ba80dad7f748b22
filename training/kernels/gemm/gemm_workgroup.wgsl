
const M = 0u;
const N = 0u;
const K = 0u;
const SPLITS = 1u;
const SPLIT_LENGTH = 0u;
const A_ALONG_K = true;
const B_ALONG_K = false;
const TILE_M = 64u;
const TILE_N = 64u;
const TILE_K = 16u;
const THREAD_M = 4u;
const THREAD_N = 4u;
const VECTORS_N = THREAD_N / 4u;
const THREADS_N = TILE_N / THREAD_N;
const THREADS = TILE_M / THREAD_M * THREADS_N;

// [k][m] and [k][n]: a thread then reads neighbours at each k.
var<workgroup> tile_a: array<f32, TILE_K * TILE_M>;
var<workgroup> tile_b: array<f32, TILE_K * TILE_N>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let z = group.z / SPLITS;
  let split = group.z % SPLITS;
  let m0 = group.y * TILE_M;
  let n0 = group.x * TILE_N;
  let thread_m = thread / THREADS_N * THREAD_M;
  let thread_n = thread % THREADS_N * THREAD_N;
  var sums: array<array<vec4f, VECTORS_N>, THREAD_M>;
  let end = min(K, (split + 1u) * SPLIT_LENGTH);
  for (var k0 = split * SPLIT_LENGTH; k0 < end; k0 += TILE_K) {
    fill_a(m0, k0, end, z, thread);
    fill_b(n0, k0, end, z, thread);
    workgroupBarrier();
    for (var k = 0u; k < TILE_K; k++) {
      var b: array<vec4f, VECTORS_N>;
      for (var v = 0u; v < VECTORS_N; v++) {
        let at = k * TILE_N + thread_n + v * 4u;
        b[v] = vec4f(tile_b[at], tile_b[at + 1u], tile_b[at + 2u], tile_b[at + 3u]);
      }
      for (var i = 0u; i < THREAD_M; i++) {
        let a = vec4f(tile_a[k * TILE_M + thread_m + i]);
        for (var v = 0u; v < VECTORS_N; v++) {
          sums[i][v] = fma(a, b[v], sums[i][v]);
        }
      }
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < THREAD_M; i++) {
    let m = m0 + thread_m + i;
    for (var v = 0u; v < VECTORS_N; v++) {
      let n = n0 + thread_n + v * 4u;
      if (m < M && n < N) {
        store_c(m, n, z, split, sums[i][v]);
      }
    }
  }
}

fn fill_a(m0: u32, k0: u32, end: u32, z: u32, thread: u32) {
  for (var item = thread; item < TILE_M * TILE_K / 4u; item += THREADS) {
    if (A_ALONG_K) {
      let m = item / (TILE_K / 4u);
      let k = item % (TILE_K / 4u) * 4u;
      var value = vec4f();
      if (k0 + k < end) {
        value = load_a(row_a(min(m0 + m, M - 1u), z), k0 + k, z);
      }
      for (var i = 0u; i < 4u; i++) {
        tile_a[(k + i) * TILE_M + m] = value[i];
      }
    } else {
      let m = item % (TILE_M / 4u) * 4u;
      let k = item / (TILE_M / 4u);
      var value = vec4f();
      if (k0 + k < end) {
        value = load_a(row_a(min(m0 + m, M - 4u), z), k0 + k, z);
      }
      for (var i = 0u; i < 4u; i++) {
        tile_a[k * TILE_M + m + i] = value[i];
      }
    }
  }
}

fn fill_b(n0: u32, k0: u32, end: u32, z: u32, thread: u32) {
  for (var item = thread; item < TILE_N * TILE_K / 4u; item += THREADS) {
    if (B_ALONG_K) {
      let n = item / (TILE_K / 4u);
      let k = item % (TILE_K / 4u) * 4u;
      var value = vec4f();
      if (k0 + k < end) {
        value = load_b(column_b(min(n0 + n, N - 1u), z), k0 + k, z);
      }
      for (var i = 0u; i < 4u; i++) {
        tile_b[(k + i) * TILE_N + n] = value[i];
      }
    } else {
      let n = item % (TILE_N / 4u) * 4u;
      let k = item / (TILE_N / 4u);
      var value = vec4f();
      if (k0 + k < end) {
        value = load_b(column_b(min(n0 + n, N - 4u), z), k0 + k, z);
      }
      for (var i = 0u; i < 4u; i++) {
        tile_b[k * TILE_N + n + i] = value[i];
      }
    }
  }
}
