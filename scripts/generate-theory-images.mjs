// Writes docs/images/theory/*.svg, the pictures of the demos of EM and of the tour, from src/plots and src/theory as compiled
// to dist.
import { mkdirSync, writeFileSync } from 'node:fs';
import { drawDemo } from '../dist/plots/demo.js';
import { TOUR } from '../dist/plots/tour.js';
import { DEMOS } from '../dist/theory/demos.js';

const folder = new URL('../docs/images/theory/', import.meta.url);
const write = ({ name, svg }) => writeFileSync(new URL(`${name}.svg`, folder), svg);
mkdirSync(folder, { recursive: true });
for (const demo of DEMOS) {
  const { pictures } = await drawDemo(demo.name);
  pictures.forEach(write);
}
for (const { name, draw } of TOUR) write({ name, svg: draw() });
