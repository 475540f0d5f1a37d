import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VirelError } from '../../src/errors.js';
import type { Progress, SavedState } from '../../src/native/session.js';
import type { Plan } from '../../src/schedule/em-schedule.js';
import type { TrainingSession } from '../../src/training/session.js';

/** How a {@link MemorySession} behaves. */
export interface Behaviour {
  startUpdates?: number;
  /** Return of an evaluation's first episode, the next ones' 1 more each; the steps done. */
  returnAt?: (step: number) => number;
  /** Steps of an episode; its return is the step at which it ends. */
  episodeLength?: number;
  /** Throws `DIVERGED` once this step is reached. */
  divergesAt?: number;
  /** Throws `ENV_FAILED` once this step is reached. */
  failsAt?: number;
  /** Steps at which its simulator leaves its range. */
  unstableAt?: readonly number[];
  /** Called at every advance, with the steps done before it. */
  onAdvance?: (step: number) => void;
  /** Called at every evaluation. */
  onEvaluate?: (step: number) => void;
}

/** A session that counts instead of learning: everything it says follows from the steps done. */
export class MemorySession implements TrainingSession {
  readonly plans: Plan[] = [];
  readonly evaluatedAt: number[] = [];
  /** Hopper's, whatever the task. */
  readonly task = {
    observationSize: 11,
    actionSize: 3,
    actionLow: [-1, -1, -1],
    actionHigh: [1, 1, 1],
  };
  disposed = 0;
  /** Rows of each file that was taken up. */
  loadedRows: number[] = [];
  #behaviour: Behaviour;
  #steps = 0;
  #updates = 0;
  readonly #episodes: Progress['episodes'] = [];

  constructor(behaviour: Behaviour = {}) {
    this.#behaviour = behaviour;
  }

  async advance(plan: Plan, { signal }: { signal?: AbortSignal }): Promise<Progress> {
    if (signal?.aborted) throw new VirelError('ABORTED', 'aborted before the call');
    this.#behaviour.onAdvance?.(this.#steps);
    this.plans.push(plan);
    let iterations = 0;
    while (iterations < plan.repeat && !signal?.aborted) {
      for (const phase of plan.phases) this.#run(phase);
      iterations += 1;
      // lets signals and timers in, as a call of native code does
      if (iterations % 64 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    return { ...this.progress(), iterations };
  }

  progress(): Progress {
    const episodes = this.#episodes.splice(0);
    const [steps, updates] = [this.#steps, this.#updates];
    const { unstableAt = [] } = this.#behaviour;
    const unstableResets = unstableAt.filter((step) => step <= steps).length;
    return { iterations: 0, steps, updates, unstableResets, episodes };
  }

  #run(phase: Plan['phases'][number]) {
    const {
      startUpdates = 10,
      episodeLength = 50,
      divergesAt = Infinity,
      failsAt = Infinity,
    } = this.#behaviour;
    if ('update' in phase) {
      if (this.#steps >= startUpdates) this.#updates += phase.update.mSteps;
      return;
    }
    if ('converge' in phase) {
      if (this.#steps >= startUpdates) this.#updates += phase.converge.maxSteps;
      return;
    }
    for (let step = 0; step < phase.collect; step += 1) {
      this.#steps += 1;
      if (this.#steps >= divergesAt) {
        throw new VirelError('DIVERGED', `step ${this.#steps}: policy loss is NaN`, {
          fix: 'less',
        });
      }
      if (this.#steps >= failsAt) {
        throw new VirelError('ENV_FAILED', 'environment point: step() threw', { fix: 'mend it' });
      }
      if (this.#steps % episodeLength === 0) {
        this.#episodes.push({ step: this.#steps, return: this.#steps, length: episodeLength });
      }
    }
  }

  async evaluate(options: { episodes?: number; minSteps?: number; signal?: AbortSignal }) {
    this.#behaviour.onEvaluate?.(this.#steps);
    if (options.signal?.aborted) throw new VirelError('ABORTED', 'the evaluation was stopped');
    this.evaluatedAt.push(this.#steps);
    const episodes = options.episodes ?? 2;
    const { returnAt = (step) => step } = this.#behaviour;
    const first = returnAt(this.#steps);
    const returns = Array.from({ length: episodes }, (_, index) => first + index);
    const lengths = returns.map(() => 100);
    return {
      episodes,
      returnMean: first + (episodes - 1) / 2,
      returnStd: 0.5,
      returns,
      lengths,
    };
  }

  async measure(): Promise<Record<string, number>> {
    return {
      'losses/qf1_loss': 1 / (1 + this.#updates),
      'virel/temperature': 1,
      'virel/residual_error_raw': 2 / (1 + this.#updates),
      'virel/m_step': this.#updates,
      'virel/e_step': this.#updates,
    };
  }

  async saveParameters(path: string, metadata: Record<string, string>): Promise<void> {
    writeFileSync(path, JSON.stringify({ steps: this.#steps, metadata }));
  }

  async saveState(folder: string): Promise<readonly string[]> {
    const state = JSON.stringify({ steps: this.#steps, updates: this.#updates });
    writeFileSync(join(folder, 'schedule.safetensors'), state);
    return ['schedule.safetensors'];
  }

  /** A transition a step. */
  async saveReplay(path: string, first: number): Promise<{ first: number; count: number }> {
    const count = this.#steps - first;
    if (count > 0) writeFileSync(path, JSON.stringify({ first, count }));
    return { first, count };
  }

  async loadState({ folder, rows }: SavedState): Promise<void> {
    const state = JSON.parse(readFileSync(join(folder, 'schedule.safetensors'), 'utf8'));
    this.#steps = state.steps;
    this.#updates = state.updates;
    this.loadedRows = rows.map((file) => JSON.parse(readFileSync(file, 'utf8')).count);
  }

  dispose(): void {
    this.disposed += 1;
  }
}
