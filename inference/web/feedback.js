import { knownLabels } from "./ask.js";

const offered = document.body.dataset.feedback === "on";
const details = document.getElementById("feedback");
const label = document.getElementById("right");
const labels = document.getElementById("labels");

/** The model whose labels are listed. */
let listed;

/** Offers to correct an answer, where the service takes corrections. */
export function offerCorrection() {
  details.hidden = !offered;
  details.open = false;
  label.value = "";
}

export function hideCorrection() {
  details.hidden = true;
}

/**
 * Calls `list` when labels are wanted, and `send` with the one that a person says is right. Both are
 * given what to do: they know how to say what went wrong.
 */
export function onCorrection({ list, send }) {
  details.addEventListener("toggle", () => {
    if (details.open) list(listLabels);
  });
  document.getElementById("feedback-form").addEventListener("submit", (event) => {
    event.preventDefault();
    send(label.value.trim());
  });
}

/** Fills the list of labels to choose from, once a model. */
async function listLabels(model, signal) {
  if (listed === model) return;
  const { labels: names } = await knownLabels(model, signal);
  labels.replaceChildren(...names.map((name) => {
    const option = document.createElement("option");
    option.value = name;
    return option;
  }));
  listed = model;
}
