// Writes docs/metrics.md from src/logging/metrics.ts, as compiled to dist.
import { writeFileSync } from 'node:fs';
import { metricsPage } from '../dist/logging/metrics.js';

writeFileSync(new URL('../docs/metrics.md', import.meta.url), metricsPage());
