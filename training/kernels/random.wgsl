
// Four hashed words of a four-word counter: pcg4d of Jarzynski and Olano, "Hash Functions for GPU
// Rendering", JCGT 9(3), 2020. The same counter gives the same words on every device.
fn pcg4d(counter: vec4u) -> vec4u {
  var v = counter * 1664525u + 1013904223u;
  v = pcg4d_round(v);
  v ^= v >> vec4u(16u);
  return pcg4d_round(v);
}

// Each word takes in the words before it as they have just become: not one vector expression.
fn pcg4d_round(words: vec4u) -> vec4u {
  var v = words;
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  return v;
}

// In [0, 1), multiples of 2^-24: every value is exact in float32.
fn uniform_floats(words: vec4u) -> vec4f {
  return vec4f(words >> vec4u(8u)) * 0x1p-24f;
}
