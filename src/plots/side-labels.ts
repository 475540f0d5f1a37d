/** Names at the right ends of lines, moved apart where they would overlap. */

/** A label of a line. */
export interface SideLabel {
  readonly text: string;
  readonly colour: string;
  /** Where the line ends, in pixels from the top. */
  readonly at: number;
}

/** From one line of text to the next, in pixels. */
export const LINE_HEIGHT = 16;

/**
 * Heights of labels, each as near to its line's end as the others allow: those too close to one another become a block that
 * is centred on their lines, and stays between `top` and `bottom`.
 *
 * @returns Labels from the top down.
 */
export function placeLabels(
  labels: readonly SideLabel[],
  top: number,
  bottom: number,
): (SideLabel & { readonly y: number })[] {
  const sorted = [...labels].sort((a, b) => a.at - b.at);
  // each block: its labels and the height of its middle
  let blocks = sorted.map((label) => ({ labels: [label], middle: label.at }));
  for (let merged = true; merged; ) {
    merged = false;
    for (let i = 0; i + 1 < blocks.length; i += 1) {
      const [a, b] = [blocks[i], blocks[i + 1]];
      if (a === undefined || b === undefined) break;
      const room = ((a.labels.length + b.labels.length) / 2) * LINE_HEIGHT;
      if (inside(b, top, bottom) - inside(a, top, bottom) >= room - 1e-9) continue;
      const both = [...a.labels, ...b.labels];
      const middle = both.reduce((sum, { at }) => sum + at, 0) / both.length;
      blocks = [...blocks.slice(0, i), { labels: both, middle }, ...blocks.slice(i + 2)];
      merged = true;
      break;
    }
  }
  return blocks.flatMap((block) => {
    const first = inside(block, top, bottom) - ((block.labels.length - 1) / 2) * LINE_HEIGHT;
    return block.labels.map((label, index) => ({ ...label, y: first + index * LINE_HEIGHT }));
  });
}

/** The middle of a block that stays within bounds. */
function inside(
  { labels, middle }: { labels: readonly SideLabel[]; middle: number },
  top: number,
  bottom: number,
): number {
  const half = (labels.length * LINE_HEIGHT) / 2;
  return Math.max(top + half, Math.min(bottom - half, middle));
}

/** Room that a text of the figures' size takes, in pixels, rounded up: letters of Arial are half as wide as high on average. */
export const textWidth = (text: string) => Math.ceil(7.2 * [...text].length);
