/**
 * Episodes out of the rows of a replay buffer. A row is one transition, s, a, r, γ(1−d), s′ (docs/run-folder.md); nothing in it
 * says where an episode begins. A row goes on with the episode whose s′ is its s, to the bit; where none does, one begins.
 */

/** Sizes of a row. */
export interface RowSizes {
  /** O. */
  readonly observation: number;
  /** A. */
  readonly action: number;
}

/** Values of a row: O + A + 2 + O. */
export const rowWidth = ({ observation, action }: RowSizes) => 2 * observation + action + 2;

/** An episode, or what the buffer still holds of it. */
export interface Episode {
  /** s of each step, [T, O]; the last observation is in `final`. */
  readonly observations: Float32Array[];
  /** a in [−1, 1], [T, A]. */
  readonly actions: Float32Array[];
  /** r as stored: scaled, [T]. */
  readonly rewards: number[];
  /** The last s′, [O]. */
  final: Float32Array;
  /**
   * How it ended: by the task's own rule, cut by a limit or a reset, or not at all, because the buffer ends.
   */
  end: 'terminated' | 'truncated' | 'open';
}

/** Whether two observations are the same bits. */
const same = (a: Float32Array, b: Float32Array) => a.every((value, i) => Object.is(value, b[i]));

/** Puts rows together; those of several environments alternate. */
export class Episodes {
  readonly #sizes: RowSizes;
  readonly #environments: number;
  /** Those that may go on, the one that waits longest first. */
  readonly #open: Episode[] = [];

  /** @param environments How many collect in turn. */
  constructor(sizes: RowSizes, environments: number) {
    this.#sizes = sizes;
    this.#environments = environments;
  }

  /** Takes the next row, [2 O + A + 2]. @returns The episodes that are over with it. */
  add(row: Float32Array): Episode[] {
    const { observation: o, action: a } = this.#sizes;
    const state = row.slice(0, o);
    const ended: Episode[] = [];
    const at = this.#open.findIndex(({ final }) => same(final, state));
    const [episode = begin()] = at < 0 ? [] : this.#open.splice(at, 1);
    // another begins where one of so many was cut: the one whose turn it was
    if (at < 0 && this.#open.length === this.#environments) ended.push(...this.#cut());
    episode.observations.push(state);
    episode.actions.push(row.slice(o, o + a));
    episode.rewards.push(row[o + a] as number);
    episode.final = row.slice(o + a + 2);
    if (row[o + a + 1] === 0) ended.push({ ...episode, end: 'terminated' });
    else this.#open.push(episode);
    return ended;
  }

  #cut(): Episode[] {
    return this.#open.splice(0, 1).map((episode) => ({ ...episode, end: 'truncated' as const }));
  }

  /** What goes on beyond the last row. */
  rest(): Episode[] {
    return this.#open.splice(0);
  }
}

const begin = (): Episode => ({
  observations: [],
  actions: [],
  rewards: [],
  final: new Float32Array(),
  end: 'open',
});
