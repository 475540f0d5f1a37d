// Writes docs/images/theory/*.svg, the pictures of the demos of EM, from src/plots and src/theory as compiled to dist.
import { mkdirSync, writeFileSync } from 'node:fs';
import { drawDemo } from '../dist/plots/demo.js';
import { DEMOS } from '../dist/theory/demos.js';

const folder = new URL('../docs/images/theory/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const demo of DEMOS) {
  const { pictures } = await drawDemo(demo.name);
  for (const { name, svg } of pictures) writeFileSync(new URL(`${name}.svg`, folder), svg);
}
