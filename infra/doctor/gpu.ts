import { type Finding, reason } from "./finding.ts";

/** The limits that decide how a network is laid out and how fast its kernels can be. */
const KEY_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupsPerDimension",
] as const;

const OPTIONAL_FEATURES = ["shader-f16", "timestamp-query", "subgroups"] as const;

const NO_ADAPTER = "install a Vulkan driver: that of your graphics card, or the software one " +
  "(Debian, Ubuntu: sudo apt-get install libvulkan1 mesa-vulkan-drivers)";

/** The adapter, its limits and features, and whether it adds numbers correctly. */
export async function inspectGpu(): Promise<Finding[]> {
  const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    return [{
      topic: "gpu",
      name: "adapter",
      status: "missing",
      value: "no WebGPU adapter",
      advice: NO_ADAPTER,
    }];
  }
  return [
    describe(adapter.info),
    ...KEY_LIMITS.map((name): Finding => ({
      topic: "gpu",
      name,
      status: "ok",
      value: adapter.limits[name].toLocaleString("en"),
    })),
    ...await inspectFeatures(),
    await compute(adapter),
  ];
}

function describe(info: GPUAdapterInfo): Finding {
  const { vendor, architecture, description, isFallbackAdapter } = info;
  const parts = [description, vendor && `vendor ${vendor}`, architecture].filter((part) => part);
  return {
    topic: "gpu",
    name: "adapter",
    status: isFallbackAdapter ? "note" : "ok",
    value: `${parts.join(", ")}${isFallbackAdapter ? " (software)" : ""}`,
    ...(isFallbackAdapter && {
      advice:
        "enough for the demo, the tests and small networks; a graphics card trains large ones",
    }),
  };
}

/** By trial: Deno grants `subgroups` although its adapters do not list it. */
async function inspectFeatures(): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const feature of OPTIONAL_FEATURES) {
    // An adapter gives one device only, so each trial asks for a new one.
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    let value = "yes";
    try {
      const device = await adapter?.requestDevice({
        requiredFeatures: [feature as GPUFeatureName],
      });
      device?.destroy();
    } catch {
      value = "no";
    }
    findings.push({ topic: "gpu", name: feature, status: "ok", value });
  }
  return findings;
}

const ADD = `
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read_write> sum: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&sum)) { sum[id.x] = a[id.x] + f32(id.x); }
}`;

/** Adds 1000 pairs of numbers on the adapter and compares them with the processor's sums. */
async function compute(adapter: GPUAdapter): Promise<Finding> {
  try {
    const wrong = await countWrongSums(await adapter.requestDevice());
    return wrong === 0
      ? { topic: "gpu", name: "compute", status: "ok", value: "1,000 sums, all correct" }
      : {
        topic: "gpu",
        name: "compute",
        status: "missing",
        value: `${wrong} of 1,000 sums are wrong`,
        advice: "update the graphics driver: results of this one cannot be trusted",
      };
  } catch (error) {
    return {
      topic: "gpu",
      name: "compute",
      status: "missing",
      value: `failed: ${reason(error)}`,
      advice: "update the graphics driver",
    };
  }
}

async function countWrongSums(device: GPUDevice): Promise<number> {
  const a = Float32Array.from({ length: 1000 }, (_, i) => i * 0.25 - 100);
  const input = device.createBuffer({
    size: a.byteLength,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
  });
  const output = device.createBuffer({
    size: a.byteLength,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC,
  });
  const readable = device.createBuffer({
    size: a.byteLength,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const pipeline = await device.createComputePipelineAsync({
    layout: "auto",
    compute: { module: device.createShaderModule({ code: ADD }) },
  });
  const bindings = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: input } }, {
      binding: 1,
      resource: { buffer: output },
    }],
  });
  device.queue.writeBuffer(input, 0, a);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindings);
  pass.dispatchWorkgroups(Math.ceil(a.length / 64));
  pass.end();
  encoder.copyBufferToBuffer(output, 0, readable, 0, a.byteLength);
  device.queue.submit([encoder.finish()]);
  await readable.mapAsync(GPUMapMode.READ);
  const sums = new Float32Array(readable.getMappedRange().slice(0));
  device.destroy();
  return a.reduce((wrong, value, i) => wrong + (sums[i] === value + i ? 0 : 1), 0);
}
