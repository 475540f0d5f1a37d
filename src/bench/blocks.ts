/** Timing by blocks: a rate is the median of some, with their spread, after one to warm up. */

/** Blocks of a rate. */
export const BLOCKS = 9;

/** A rate per second. */
export interface Rate {
  /** Median over the blocks. */
  perSecond: number;
  /** Blocks. */
  samples: number;
  /** (fastest − slowest) / median. */
  spread: number;
}

/** The middle of some numbers; of an even count the mean of both. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** The rate of some blocks' rates. */
export function rateOf(rates: readonly number[]): Rate {
  const middle = median(rates);
  const spread = (Math.max(...rates) - Math.min(...rates)) / middle;
  return { perSecond: middle, samples: rates.length, spread };
}

/** Units that take about `seconds`, found by doubling; they warm up what they run. */
async function unitsOf(
  work: (units: number) => Promise<void>,
  seconds: number,
  now: () => number,
): Promise<number> {
  for (let units = 1; ; units *= 2) {
    const before = now();
    await work(units);
    const taken = now() - before;
    if (taken >= seconds / 4) return Math.max(1, Math.round((units * seconds) / taken));
  }
}

/**
 * How many units of work pass in a second.
 *
 * @param work Does so many units.
 * @param seconds For all blocks together.
 * @param now Seconds of a clock.
 */
export async function measureRate(
  work: (units: number) => Promise<void>,
  seconds: number,
  now: () => number = () => performance.now() / 1000,
): Promise<Rate> {
  const units = await unitsOf(work, seconds / BLOCKS, now);
  const rates: number[] = [];
  for (let block = 0; block < BLOCKS; block++) {
    const before = now();
    await work(units);
    rates.push(units / (now() - before));
  }
  return rateOf(rates);
}
