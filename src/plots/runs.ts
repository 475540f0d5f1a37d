/** Pictures of runs; the libraries that draw are loaded when one is asked for. */
import type { Comparison } from '../comparison/comparison.js';
import { type CurveOptions, type LearningCurves, learningCurves } from '../comparison/curves.js';
import type { Run } from '../training/load-run.js';
import type { PageFacts } from './comparison-page.js';

/** Which curves, and what is drawn of them. */
export interface PlotOptions extends CurveOptions {
  /** Draws every run too, faintly. */
  showSeeds?: boolean | undefined;
}

/** A picture of runs and the numbers in it. */
export interface PlottedRuns {
  /** What is drawn, as numbers. */
  curves: LearningCurves;
  /** The picture, as text. */
  svg: string;
}

/**
 * Draws learning curves: a panel for every task, a line with its 95 % band for every group.
 *
 * @param runs Folders, or what `loadRun` gave.
 * @throws VirelError as `compareRuns`.
 */
export async function plotRuns(
  runs: readonly (string | Run)[],
  { showSeeds = false, ...options }: PlotOptions = {},
): Promise<PlottedRuns> {
  const curves = learningCurves(runs, options);
  const { drawCurves } = await import('./curves-figure.js');
  return { curves, svg: drawCurves(curves, showSeeds) };
}

/** Draws what `compareRuns` found: scores, means and intervals of every task, and who beats the baseline. @returns SVG. */
export async function drawComparison(comparison: Comparison): Promise<string> {
  const { drawComparisonFigure } = await import('./comparison-figure.js');
  return drawComparisonFigure(comparison);
}

/** What {@link drawComparison} draws with the tables and the settings behind it, as one HTML file that loads nothing. */
export async function comparisonHtml(
  comparison: Comparison,
  facts: Omit<PageFacts, 'svg'>,
): Promise<string> {
  const { comparisonPage } = await import('./comparison-page.js');
  return comparisonPage(comparison, { ...facts, svg: await drawComparison(comparison) });
}
