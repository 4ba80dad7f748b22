const BETA = 0f;

// s^-BETA; square roots are exacter and cheaper than the general power.
fn negative_power(s: vec4f) -> vec4f {
  if (BETA == 0.75) {
    let root = sqrt(s);
    return 1.0 / (root * sqrt(root));
  }
  if (BETA == 0.5) {
    return 1.0 / sqrt(s);
  }
  return pow(s, vec4f(-BETA));
}

