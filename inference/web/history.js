import { percent } from "./results.js";

/** Images kept; the oldest makes room. */
const LIMIT = 24;

const section = document.getElementById("history");
const entries = document.getElementById("entries");

/** Puts an answered visit in front; its button calls `reopen`. Nothing is kept after the page. */
export function remember(visit, reopen) {
  const [best] = visit.answer.predictions;
  const button = document.createElement("button");
  button.type = "button";
  const thumbnail = document.createElement("img");
  thumbnail.src = visit.url;
  thumbnail.alt = "";
  thumbnail.addEventListener("error", () => thumbnail.hidden = true);
  const text = document.createElement("span");
  text.textContent = `${best.label}, ${percent(best.probability)}`;
  button.append(thumbnail, text);
  button.title = visit.name;
  button.addEventListener("click", () => reopen(visit));
  const item = document.createElement("li");
  item.append(button);
  entries.prepend(item);
  section.hidden = false;
  if (entries.children.length > LIMIT) {
    const oldest = entries.lastElementChild;
    URL.revokeObjectURL(oldest.querySelector("img").src);
    oldest.remove();
  }
}
