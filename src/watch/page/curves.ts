/** Curves over environment steps. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Columns } from '../shared/columns.js';
import { brief, element, grouped, onScheme, styleValue } from './dom.js';

/** What a chart shows of some columns. */
export interface ChartChoice {
  readonly title: string;
  /** What the number is, in a few words. */
  readonly about: string;
  readonly column: string;
  /** Columns of a band around it. */
  readonly band?: readonly [low: string, high: string];
  /** Whether its axis may be logarithmic: a number that is read by its order of size. */
  readonly orders?: boolean;
  /** A colour of the style sheet. */
  readonly colour: string;
}

/** A chart in the page. */
export interface Chart {
  readonly root: HTMLElement;
  /** Draws these columns. */
  draw(columns: Columns): void;
  /** Draws another column from now on. */
  choose(choice: ChartChoice): void;
}

/** A logarithmic axis where a curve spans more than this factor. */
const WIDE = 20;
/** Least size of a plot. */
const LEAST = { width: 200, height: 168 };
/** Room that a value at the axis takes. */
const AXIS = 58;

const valuesOf = (columns: Columns, name: string): (number | null)[] =>
  Object.hasOwn(columns.m, name) ? (columns.m[name] as (number | null)[]) : [];

/** Steps and values where there is a value: a curve runs through records that lack its column. */
function pointsOf(columns: Columns, { column, band }: ChartChoice): uPlot.AlignedData {
  const names = [column, ...(band ?? [])];
  const series = names.map((name) => valuesOf(columns, name));
  const kept = columns.step.flatMap((_, index) => (series[0]?.[index] == null ? [] : [index]));
  const pick = (values: (number | null)[]) => kept.map((index) => values[index] ?? null);
  return [pick(columns.step) as number[], ...series.map(pick)];
}

const isWide = (values: readonly (number | null | undefined)[]) => {
  const numbers = values.filter((value) => typeof value === 'number');
  const least = Math.min(...numbers);
  return numbers.length > 1 && least > 0 && Math.max(...numbers) / least > WIDE;
};

/** `250,000` as `250k` at an axis. */
function short(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6) return `${brief(value / 1e6)}M`;
  return size >= 1e4 ? `${brief(value / 1e3)}k` : brief(value);
}

/** Powers of ten within an axis, and its ends where there are none. */
function decades(_: uPlot, _axis: number, low: number, high: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))];
  const found = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => 10 ** (first + i));
  return found.length > 1 ? found : [low, high];
}

function optionsOf(
  { column, band, colour }: ChartChoice,
  size: { width: number; height: number },
  logarithmic: boolean,
  single: boolean,
): uPlot.Options {
  const [ink, line] = [styleValue('--muted'), styleValue('--line')];
  const stroke = styleValue(colour);
  const font = `11px ${styleValue('--font')}`;
  const axis = { stroke: ink, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
  const faint = { stroke: 'transparent', width: 0, points: { show: false } };
  return {
    ...size,
    padding: [8, 22, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, drag: { x: true, y: false } },
    scales: { x: { time: false }, y: { distr: logarithmic ? 3 : 1 } },
    axes: [
      { ...axis, size: 26, space: 64, values: (_, splits) => splits.map(short) },
      {
        ...axis,
        size: AXIS,
        space: 34,
        ...(logarithmic && { splits: decades }),
        values: (_, splits) => splits.map((value) => (value === null ? '' : short(value))),
      },
    ],
    series: [
      {},
      { label: column, stroke, width: 1.75, points: { show: single, size: 6, fill: stroke } },
      ...(band ? [faint, faint] : []),
    ],
    ...(band && {
      bands: [{ series: [3, 2], fill: `color-mix(in srgb, ${stroke} 18%, transparent)` }],
    }),
  };
}

/** Room that a plot has. */
const sizeOf = ({ clientWidth, clientHeight }: HTMLElement) => ({
  width: Math.max(LEAST.width, clientWidth),
  height: Math.max(LEAST.height, clientHeight),
});

/** A chart; its heading tells the newest value, or the one under the pointer. @param picker Stands for the title. */
export function makeChart(first: ChartChoice, picker?: HTMLElement): Chart {
  let choice = first;
  let drawn: Columns | undefined;
  let plot: uPlot | undefined;
  let shape = '';
  let logarithmic = false;
  const title = element('h3', {}, choice.title);
  const value = element('output', { class: 'value' });
  const about = element('p', { class: 'about' }, choice.about);
  const area = element('div', { class: 'plot', role: 'img' });
  const root = element(
    'figure',
    { class: 'chart panel' },
    element('figcaption', {}, picker ?? title, value),
    about,
    area,
  );

  const tellValue = (data: uPlot.AlignedData, index: number | null | undefined) => {
    const at = index ?? data[0].length - 1;
    const [step, number] = [data[0][at], data[1]?.[at]];
    value.textContent = typeof number === 'number' ? brief(number) : '–';
    value.title = step === undefined ? '' : `at step ${grouped(step)}`;
    about.textContent =
      index == null || step === undefined
        ? `${choice.about}${logarithmic ? '; logarithmic' : ''}`
        : `at step ${grouped(step)}`;
  };

  const render = () => {
    if (drawn === undefined) return;
    const data = pointsOf(drawn, choice);
    logarithmic = choice.orders === true && isWide(data.slice(1).flatMap((series) => [...series]));
    const now = [choice.column, logarithmic, data[0].length < 3, styleValue('--line')].join();
    title.textContent = choice.title;
    tellValue(data, null);
    const [count, last] = [data[0].length, data[1]?.at(-1)];
    const said = count === 0 ? 'no values yet' : `${count} values, the newest ${brief(last ?? 0)}`;
    area.setAttribute('aria-label', `${choice.title} over environment steps: ${said}`);
    area.dataset['empty'] = String(count === 0);
    if (plot !== undefined && now === shape) {
      plot.setData(data);
      return;
    }
    plot?.destroy();
    shape = now;
    const options = optionsOf(choice, sizeOf(area), logarithmic, count < 3);
    plot = new uPlot(
      { ...options, hooks: { setCursor: [(chart) => tellValue(chart.data, chart.cursor.idx)] } },
      data,
      area,
    );
  };

  new ResizeObserver(() => {
    const { width, height } = sizeOf(area);
    if (plot !== undefined && (plot.width !== width || plot.height !== height)) {
      plot.setSize({ width, height });
    }
  }).observe(area);
  onScheme(render);
  return {
    root,
    draw: (columns) => {
      drawn = columns;
      render();
    },
    choose: (other) => {
      choice = other;
      render();
    },
  };
}
