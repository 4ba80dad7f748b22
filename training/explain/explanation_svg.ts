export interface Answer {
  readonly label: string;
  readonly probability: number;
}

export interface Explanation {
  readonly picture: { readonly png: Uint8Array; readonly width: number; readonly height: number };
  readonly answers: readonly Answer[];
  /** The class whose score was explained. */
  readonly explained: string;
}

const PANEL = 300;
const MARGIN = 16;
const ROW = 40;

/** The picture and the answers beside it as bars, in one file. */
export function explanationSvg({ picture, answers, explained }: Explanation): string {
  const { png, width, height } = picture;
  const left = width + 2 * MARGIN;
  const bar = PANEL - MARGIN;
  const rows = answers.map(({ label, probability }, i) => {
    const y = MARGIN + 24 + i * ROW;
    const weight = label === explained ? 700 : 400;
    return `<text x="${left}" y="${y + 12}" font-weight="${weight}">${escapeXml(label)}</text>
<text x="${left + bar}" y="${y + 12}" text-anchor="end">${(100 * probability).toFixed(1)} %</text>
<rect x="${left}" y="${y + 18}" width="${bar}" height="6" fill="#e3e3e3"/>
<rect x="${left}" y="${y + 18}" width="${
      (bar * probability).toFixed(1)
    }" height="6" fill="#d44842"/>`;
  });
  const total = width + PANEL + 2 * MARGIN;
  const tall = Math.max(height, MARGIN + 24 + answers.length * ROW) + 2 * MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${total}" height="${tall}" font-family="system-ui, sans-serif" font-size="14">
<rect width="100%" height="100%" fill="#fff"/>
<image x="${MARGIN}" y="${MARGIN}" width="${width}" height="${height}" href="data:image/png;base64,${png.toBase64()}"/>
<text x="${left}" y="${MARGIN + 12}" fill="#666">which pixels speak for ${
    escapeXml(explained)
  }</text>
${rows.join("\n")}
</svg>
`;
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
