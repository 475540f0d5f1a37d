/** Published returns that runs are shown beside, each with where it was read. None is the paper's: its figures have no numbers. */

/** A return of others. */
export interface PublishedReturn {
  /** Task without its version. */
  readonly task: string;
  /** The algorithm here that is closest to theirs. */
  readonly algorithm: string;
  /** Environment steps. */
  readonly at: number;
  readonly mean: number;
  /** Half-width of the band, or deviation over seeds. */
  readonly spread: number;
  readonly source: string;
}

type Rows = Readonly<Record<string, readonly [mean: number, spread: number]>>;

const SPINNING_UP =
  'Spinning Up, docs/images/plots/pyt of openai/spinningup, read from the plots: gym v3, 10 seeds, half-width of the band';
const CONTROL_BENCHMARK =
  'LQNew/Continuous_Control_Benchmark: gym v2, 8 seeds, mean of the last 100,000 steps, deviation';

const rowsOf = (algorithm: string, source: string, rows: Rows): PublishedReturn[] =>
  Object.entries(rows).map(([task, [mean, spread]]) => ({
    task,
    algorithm,
    at: 1_000_000,
    mean,
    spread,
    source,
  }));

/** All of them; SAC is that with two Q, the closest to which is `sac-twin`, shown beside `sac` for want of another. */
export const PUBLISHED: readonly PublishedReturn[] = [
  ...rowsOf('sac', `${SPINNING_UP}; SAC with two Q`, {
    HalfCheetah: [11_496, 813],
    Hopper: [3535, 121],
    Walker2d: [4111, 512],
    Ant: [3949, 1074],
    Swimmer: [42, 1],
  }),
  ...rowsOf('sac', `${CONTROL_BENCHMARK}; SAC with two Q`, { Humanoid: [4653, 210] }),
  ...rowsOf('ddpg', SPINNING_UP, {
    HalfCheetah: [10_109, 1005],
    Hopper: [1736, 435],
    Walker2d: [1921, 787],
    Ant: [700, 250],
    Swimmer: [136, 8],
  }),
  ...rowsOf('ddpg', CONTROL_BENCHMARK, { Humanoid: [1010, 86] }),
];
