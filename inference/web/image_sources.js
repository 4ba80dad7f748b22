const drop = document.getElementById("drop");

/** Calls `take` with each image that is chosen, photographed, dropped or pasted. */
export function onImage(take) {
  for (const id of ["file", "camera"]) {
    const input = document.getElementById(id);
    input.addEventListener("change", () => {
      const [image] = input.files;
      if (image) take(image);
      // The same file may be chosen again.
      input.value = "";
    });
  }
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
    if (image) take(image);
  });
  addEventListener("paste", (event) => {
    const [image] = event.clipboardData.files;
    if (image) take(image);
  });
}
