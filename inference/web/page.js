import { ask, AskError, correct, service, setApiKey } from "./ask.js";
import { hideCorrection, offerCorrection, onCorrection } from "./feedback.js";
import { remember } from "./history.js";
import { onImage } from "./image_sources.js";
import { hideHeat, showHeat, showPicture } from "./picture.js";
import { clearResults, percent, showResults } from "./results.js";

const byId = (id) => document.getElementById(id);
const [status, model, explain] = [byId("status"), byId("model"), byId("explain")];
const [keyForm, key] = [byId("key-form"), byId("key")];

byId("address").textContent = service.href;

/** What is on the screen: the image, its address and, once it came, its answer. */
let visit;
/** The last image chosen wins: an answer to an earlier one is dropped. */
let pending = new AbortController();
/** What to ask again with an API key. */
let refused = () => {};

function say(text, isError = false) {
  status.textContent = text;
  status.classList.toggle("error", isError);
}

/** Does what may be refused, one at a time, and says in words why it was. */
async function attempt(work) {
  pending.abort();
  pending = new AbortController();
  const { signal } = pending;
  byId("answer").setAttribute("aria-busy", "true");
  try {
    await work(signal);
    keyForm.hidden = true;
  } catch (error) {
    if (signal.aborted) return;
    if (!(error instanceof AskError)) throw error;
    say(error.message, true);
    if (error.needsKey) {
      refused = () => attempt(work);
      keyForm.hidden = false;
      key.focus();
    }
  } finally {
    if (!signal.aborted) byId("answer").removeAttribute("aria-busy");
  }
}

function classify(image) {
  const asked = { image, name: image.name || "pasted", url: URL.createObjectURL(image) };
  visit = asked;
  showPicture(asked);
  clearResults();
  explain.hidden = true;
  hideCorrection();
  return attempt(async (signal) => {
    say("Looking…");
    asked.answer = await ask(image, { signal });
    remember(asked, reopen);
    open(asked);
    await describeModel(asked.answer);
  });
}

/** Shows an answered visit. */
function open(answered) {
  visit = answered;
  const { answer } = answered;
  showResults(answer);
  const [best] = answer.predictions;
  say(`${best.label}, ${percent(best.probability)}`);
  explain.hidden = answer.heatMap === null;
  explain.setAttribute("aria-pressed", "false");
  offerCorrection();
}

function reopen(answered) {
  pending.abort();
  byId("answer").removeAttribute("aria-busy");
  keyForm.hidden = true;
  showPicture(answered);
  open(answered);
}

/** The line about the model was written when the page was loaded; a newer one may answer now. */
async function describeModel({ model: name, version }) {
  if (model.textContent.startsWith(`${name} ${version},`)) return;
  const response = await fetch("page/model");
  if (response.ok) model.textContent = await response.text();
}

explain.addEventListener("click", () => {
  const shown = explain.getAttribute("aria-pressed") === "true";
  if (shown) {
    hideHeat();
    explain.setAttribute("aria-pressed", "false");
    return;
  }
  const { image, answer } = visit;
  const [best] = answer.predictions;
  attempt(async (signal) => {
    if (answer.heatMap === undefined) {
      say("Covering parts of the image…");
      // Null where the service gives none: then the button goes.
      answer.heatMap = (await ask(image, { explain: true, signal })).heat_map ?? null;
    }
    if (answer.heatMap === null) {
      explain.hidden = true;
      say("This model gives no heat map");
      return;
    }
    showHeat(answer.heatMap, best.label);
    explain.setAttribute("aria-pressed", "true");
    say(
      `${best.label}, ${
        percent(best.probability)
      }. Red is what counted for it, dark what was not looked at.`,
    );
  });
});

onCorrection({
  list: (listLabels) => attempt((signal) => listLabels(visit.answer.model, signal)),
  send: (label) => {
    const { image, answer: { model } } = visit;
    attempt(async (signal) => {
      say("Sending…");
      const { stored } = await correct(image, { label, model, signal });
      hideCorrection();
      say(stored ? `Thank you: kept as ${label}.` : "Thank you: this image had a label already.");
    });
  },
});

keyForm.addEventListener("submit", (event) => {
  event.preventDefault();
  setApiKey(key.value.trim());
  refused();
});

onImage(classify);
