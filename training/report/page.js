// Draws the runs of the JSON above. It asks nothing of the network; uPlot comes before it.
const { runs } = JSON.parse(document.getElementById("runs").textContent);
const main = document.querySelector("main");
const COLORS = [
  ...["#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2", "#db2777"],
  ...["#65a30d", "#9333ea", "#0d9488", "#b45309", "#4f46e5", "#be123c", "#15803d"],
];
const dark = matchMedia("(prefers-color-scheme: dark)");

/** element("td", { className: "x" }, child, "text") */
function element(name, properties = {}, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children.filter((child) => child !== null));
  return node;
}

const percent = (share) => share === null ? "–" : `${(100 * share).toFixed(2)} %`;
const colorOf = (index) => COLORS[index % COLORS.length];

function section(title, ...cards) {
  const shown = cards.filter((card) => card !== null);
  if (shown.length === 0) return;
  main.append(element("h2", {}, title), element("div", { className: "grid" }, ...shown));
}

function card(title, content, wide = false) {
  const className = wide ? "card wide" : "card";
  return element("div", { className }, element("h3", {}, title), content);
}

/** Lines of { label, points: [[x, y], …], color, dash } over one x, or null where there are none. */
function chart(title, lines, { x = "step", log = false, format = (value) => value } = {}) {
  const drawn = lines.filter(({ points }) => points.length > 0);
  if (drawn.length === 0) return null;
  const tables = drawn.map(({ points }) => [points.map((p) => p[0]), points.map((p) => p[1])]);
  const data = drawn.length === 1 ? tables[0] : uPlot.join(tables);
  const holder = element("div");
  const draw = () => {
    const style = getComputedStyle(document.body);
    const axis = {
      stroke: style.color,
      grid: { stroke: dark.matches ? "#33373d" : "#e8e8e4", width: 1 },
      ticks: { show: false },
      font: "11px system-ui, sans-serif",
    };
    holder.replaceChildren();
    new uPlot(
      {
        width: Math.max(320, holder.clientWidth),
        height: 230,
        scales: { x: { time: false }, y: log ? { distr: 3 } : {} },
        axes: [axis, { ...axis, size: 62, values: (_, ticks) => ticks.map(tick(format)) }],
        series: [
          { label: x },
          ...drawn.map(({ label, color, dash, points }) => ({
            label,
            stroke: color,
            width: 1.6,
            ...(dash ? { dash } : {}),
            spanGaps: true,
            points: { show: points.length < 30, size: 4 },
            value: (_, value) => value === null ? "–" : format(round(value)),
          })),
        ],
      },
      data,
      holder,
    );
  };
  new ResizeObserver(draw).observe(holder);
  dark.addEventListener("change", draw);
  return card(title, holder);
}

const round = (value) => Number(value.toPrecision(4));
const tick = (format) => (value) => value === null ? "" : format(round(value));

function linesOf(make) {
  return runs.flatMap((run, index) => {
    const prefix = runs.length > 1 ? `${run.name} ` : "";
    return make(run.metrics).map((line, i) => ({
      ...line,
      label: prefix + line.label,
      color: colorOf(runs.length > 1 ? index : i),
      dash: i > 0 && runs.length > 1 ? [6, 4] : undefined,
    }));
  });
}

function curves() {
  const share = { format: (value) => `${round(100 * value)} %` };
  section(
    "Training",
    chart(
      "Loss",
      linesOf(({ steps, epochs }) => [
        { label: "validation", points: epochs.map((e) => [e.step, e.validation.loss]) },
        {
          label: "training",
          points: steps.length > 0
            ? steps.map((s) => [s.step, s.loss])
            : epochs.map((e) => [e.step, e.trainingLoss]),
        },
      ]),
    ),
    chart(
      "Error",
      linesOf(({ epochs }) => [
        { label: "validation top-1", points: epochs.map((e) => [e.step, e.validation.top1Error]) },
        { label: "validation top-5", points: epochs.map((e) => [e.step, e.validation.top5Error]) },
        { label: "training top-1", points: epochs.map((e) => [e.step, e.trainingError]) },
      ]),
      share,
    ),
    chart(
      "Learning rate",
      linesOf(({ steps, epochs }) => [{
        label: "rate",
        points: (steps.length > 0 ? steps : epochs).map((s) => [s.step, s.learningRate]),
      }]),
    ),
    chart(
      "Throughput, images a second",
      linesOf(({ steps, epochs }) => [{
        label: "images/s",
        points: (steps.length > 1 ? steps : epochs)
          .filter((s) => s.imagesPerSecond !== null)
          .map((s) => [s.step, s.imagesPerSecond]),
      }]),
    ),
  );
}

/** A chart of one number of the norms, a line a layer's weights. */
function layerChart(title, { metrics: { steps } }, valueOf) {
  const names = Object.keys(steps[0]?.norms ?? {}).filter((name) => name.endsWith(".weight"));
  const lines = names.map((name, i) => ({
    label: name.replace(".weight", ""),
    color: colorOf(i),
    points: steps.map((s) => [s.step, valueOf(s.norms[name])]).filter(([, y]) => y > 0),
  }));
  return chart(title, lines, { log: true });
}

function confusionMatrix({ classes, confusion }) {
  if (classes.length > 30) return confusionPicture(classes.length, confusion);
  const cells = new Map(confusion.map(([label, answer, count]) => [`${label} ${answer}`, count]));
  const rows = classes.map(({ name, images }, label) =>
    element(
      "tr",
      {},
      element("th", { title: name }, name),
      ...classes.map((_, answer) => {
        const count = cells.get(`${label} ${answer}`) ?? 0;
        const cell = element("td", {}, count > 0 ? String(count) : "");
        const hue = label === answer ? "34, 160, 90" : "220, 60, 40";
        cell.style.background = `rgba(${hue}, ${images ? 0.85 * Math.sqrt(count / images) : 0})`;
        return cell;
      }),
    )
  );
  const head = element(
    "tr",
    {},
    element("th"),
    ...classes.map(({ name }) => {
      return element("th", { title: name }, name.slice(0, 5));
    }),
  );
  return element("table", { className: "confusion" }, element("thead", {}, head), ...rows);
}

function confusionPicture(classes, confusion) {
  const canvas = element("canvas", { className: "matrix", width: classes, height: classes });
  const pen = canvas.getContext("2d");
  const most = Math.max(...confusion.map(([, , count]) => count));
  for (const [label, answer, count] of confusion) {
    const hue = label === answer ? "34, 160, 90" : "220, 60, 40";
    pen.fillStyle = `rgba(${hue}, ${0.2 + 0.8 * Math.sqrt(count / most)})`;
    pen.fillRect(answer, label, 1, 1);
  }
  canvas.style.width = "560px";
  return canvas;
}

function calibrationChart({ calibration, calibrationError }) {
  const bins = calibration.filter(({ images }) => images > 0);
  return chart(`Calibration: expected error ${percent(calibrationError)}`, [
    { label: "ideal", color: "#9a9da3", dash: [4, 4], points: [[0, 0], [1, 1]] },
    { label: "accuracy", color: COLORS[0], points: bins.map((b) => [b.confidence, b.accuracy]) },
  ], { x: "confidence" });
}

function mistakes({ worst }, picture) {
  const SIDE = 128;
  const figures = worst.map((mistake, i) => {
    const image = element("div", { className: "picture" });
    image.style.backgroundImage = `url(data:image/png;base64,${picture})`;
    image.style.backgroundSize = `${worst.length * SIDE}px ${SIDE}px`;
    image.style.backgroundPosition = `-${i * SIDE}px 0`;
    const words = `${mistake.label} taken for ${mistake.predicted}, ` +
      `${percent(mistake.predictedProbability)}`;
    const title = mistake.file ?? `image ${mistake.index}`;
    return element("figure", { title }, image, element("figcaption", {}, words));
  });
  return element("div", { className: "mistakes" }, ...figures);
}

function kernelTimes(kernels) {
  const longest = Math.max(...kernels.map(({ milliseconds }) => milliseconds));
  const rows = kernels.map(({ name, milliseconds, share }) => {
    const bar = element("div", { className: "bar" });
    bar.style.width = `${100 * milliseconds / longest}%`;
    return element(
      "tr",
      {},
      element("td", {}, name),
      element("td", {}, bar),
      element("td", {}, `${milliseconds.toFixed(2)} ms`),
      element("td", {}, percent(share)),
    );
  });
  const table = element("table", { className: "bars" }, ...rows);
  table.style.width = "100%";
  return table;
}

function facts(run) {
  const { config, classes, adapter, data, codeVersion, startedAt } = run.run;
  const rows = {
    ...config,
    classes: classes.length > 12 ? classes.length : classes.join(", "),
    "images (training / validation / test / broken)":
      `${data.images.train} / ${data.images.validation} / ${data.images.test} / ${data.images.broken}`,
    "data fingerprint": data.fingerprint,
    adapter,
    started: startedAt,
    topfive: codeVersion,
  };
  return element(
    "table",
    {},
    ...Object.entries(rows).map(([name, value]) => {
      const text = typeof value === "object" ? JSON.stringify(value) : String(value);
      return element("tr", {}, element("th", {}, name), element("td", {}, text));
    }),
  );
}

function summary() {
  const head = ["run", "model", "epochs", "validation top-1", "top-5", "best top-1", "images/s"];
  const rows = runs.map(({ name, run, metrics: { epochs } }, index) => {
    const last = epochs.at(-1);
    const best = Math.min(...epochs.map((e) => e.validation.top1Error));
    const swatch = element("span", { className: "swatch" });
    swatch.style.background = colorOf(index);
    const cells = last
      ? [
        String(last.epoch),
        element("span", { className: "big" }, percent(last.validation.top1Error)),
        percent(last.validation.top5Error),
        percent(best),
        String(Math.round(last.imagesPerSecond)),
      ]
      : ["0", "–", "–", "–", "–"];
    return element(
      "tr",
      {},
      element("td", {}, swatch, name),
      ...[run.config.model, ...cells].map((cell) => element("td", {}, cell)),
    );
  });
  const titles = element("tr", {}, ...head.map((title) => element("th", {}, title)));
  const table = element("table", { className: "summary" }, element("thead", {}, titles), ...rows);
  main.append(
    element("h1", {}, document.title),
    element("p", {}, "errors on the validation images, measured after each epoch"),
    element("div", { className: "card" }, table),
  );
}

function runSections(run) {
  const named = (title) => runs.length > 1 ? `${run.name}: ${title}` : title;
  section(
    named("Layers"),
    layerChart("Gradient norm", run, (norms) => norms.gradient),
    layerChart("Weight norm", run, (norms) => norms.weight),
    layerChart("Update ratio: |update| / |weights|", run, (n) => n.update / n.weight),
  );
  const { filters, evaluation, mistakesPng, kernels } = run;
  if (filters) {
    const image = element("img", { src: `data:image/png;base64,${filters.png}`, alt: "" });
    const holder = element("div", { className: "filters" }, image);
    section(
      named(`First layer: ${filters.count} filters of ${filters.size} × ${filters.size}`),
      card(filters.name, holder, true),
    );
  }
  if (evaluation) {
    section(
      named(`Evaluation on ${evaluation.images} ${evaluation.split} images`),
      card(
        `Confusion: rows are labels, columns answers. Top-1 error ${
          percent(evaluation.top1Error)
        }` +
          `, top-5 ${percent(evaluation.top5Error)}`,
        confusionMatrix(evaluation),
        evaluation.classes.length > 7,
      ),
      calibrationChart(evaluation),
      mistakesPng && evaluation.worst.length > 0
        ? card("Worst mistakes", mistakes(evaluation, mistakesPng), true)
        : null,
    );
  }
  if (kernels) section(named("Time of a step"), card("by layer", kernelTimes(kernels), true));
  section(named("Configuration"), card("what was trained, how, on what", facts(run), true));
}

summary();
curves();
for (const run of runs) runSections(run);
document.body.dataset.ready = "true";
