const figure = document.getElementById("picture");
const preview = document.getElementById("preview");
const heat = document.getElementById("heat");

// A browser shows fewer formats than the service reads (TIFF): then there is no picture.
preview.addEventListener("error", () => figure.hidden = true);

/** Shows a visit's image, without a heat map. */
export function showPicture({ url, name }) {
  hideHeat();
  preview.src = url;
  preview.alt = `Your image: ${name}`;
  figure.hidden = false;
}

/** Lays the service's heat map over the image. */
export function showHeat(dataUrl, label) {
  heat.src = dataUrl;
  heat.alt = `Heat map: what counted for ${label}`;
  heat.hidden = false;
}

export function hideHeat() {
  heat.hidden = true;
}
