const results = document.getElementById("results");
const source = document.getElementById("source");

export function percent(probability) {
  return `${(100 * probability).toFixed(1)} %`;
}

/** One bar for each prediction, best first, and below them which model answered. */
export function showResults({ model, version, predictions, timing }) {
  results.replaceChildren(...predictions.map(barOf));
  source.textContent = `Answered by ${model} ${version} in ${Math.round(timing.total_ms)} ms`;
}

export function clearResults() {
  results.replaceChildren();
  source.textContent = "";
}

function barOf({ label, probability }) {
  const item = document.createElement("li");
  const track = element("div", "track");
  // The percentage beside it says the same.
  track.setAttribute("aria-hidden", "true");
  const bar = element("div", "bar");
  bar.style.width = `${100 * probability}%`;
  track.append(bar);
  item.append(
    element("span", "label", label),
    " ",
    element("span", "percent", percent(probability)),
    track,
  );
  return item;
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}
