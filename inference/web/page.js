"use strict";

const byId = (id) => document.getElementById(id);
const drop = byId("drop");
const file = byId("file");
const preview = byId("preview");
const status = byId("status");
const results = byId("results");

const service = new URL("v1/classify", location.href);
byId("address").textContent = service.href;

/** The last image chosen wins: an answer to an earlier one is dropped. */
let pending = new AbortController();

function say(text, isError = false) {
  status.textContent = text;
  status.classList.toggle("error", isError);
}

function show(image) {
  URL.revokeObjectURL(preview.src);
  preview.src = URL.createObjectURL(image);
  preview.alt = image.name ? `Chosen image: ${image.name}` : "Chosen image";
  preview.hidden = false;
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function bars(predictions) {
  results.replaceChildren(...predictions.map(({ label, probability }) => {
    const percent = `${(100 * probability).toFixed(1)} %`;
    const track = element("div", "track");
    const bar = element("div", "bar");
    bar.style.width = `${100 * probability}%`;
    track.append(bar);
    track.setAttribute("aria-hidden", "true");
    const item = document.createElement("li");
    item.append(element("span", "label", label), element("span", "percent", percent), track);
    return item;
  }));
}

async function classify(image) {
  pending.abort();
  pending = new AbortController();
  const { signal } = pending;
  show(image);
  results.replaceChildren();
  say("Looking…");
  try {
    const response = await fetch(`${service}?top=5`, { method: "POST", body: image, signal });
    const answer = await response.json();
    if (!response.ok) return say(answer.detail, true);
    bars(answer.predictions);
    const [best] = answer.predictions;
    const took = Math.round(answer.timing.total_ms);
    say(
      `${best.label}, ${(100 * best.probability).toFixed(1)} %. ` +
        `${answer.model} ${answer.version} took ${took} ms.`,
    );
  } catch (error) {
    if (signal.aborted) return;
    say(`The server cannot be reached: ${error.message}`, true);
  }
}

file.addEventListener("change", () => {
  if (file.files[0]) classify(file.files[0]);
  // The same file may be chosen again.
  file.value = "";
});

// The whole page takes a drop: one that misses the panel must not replace the page by the image.
addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) drop.classList.remove("over");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const [image] = event.dataTransfer.files;
  if (image) classify(image);
});
addEventListener("paste", (event) => {
  const [image] = event.clipboardData.files;
  if (image) classify(image);
});
