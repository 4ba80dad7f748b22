// Says which kind of WebGPU adapter Deno finds here: "hardware", "software" or "none". The start
// script asks it before anything is installed, so it imports nothing.
const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
console.log(!adapter ? "none" : adapter.info.isFallbackAdapter ? "software" : "hardware");
