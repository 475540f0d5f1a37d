/** One use of an environment written in TypeScript, with every answer checked before it reaches the learner. */
import { show } from '../config/show.js';
import { VirelError } from '../errors.js';
import type { CustomEnvironment, Dynamics } from './define.js';
import type { Random } from './random.js';

/** A checked answer. */
export interface CheckedStep {
  /** s', [O] */
  observation: Float64Array;
  reward: number;
  terminated: boolean;
  truncated: boolean;
}

/** Who last reset an environment that has one state for all its users, by the function that moves that state. */
const users = new WeakMap<Dynamics['step'], GuardedEnvironment>();

/**
 * An environment in training or in evaluation. Where it was defined by `create` its state is its own; otherwise all
 * uses share one, and each begins with a `reset`.
 *
 * What the environment throws becomes `ENV_FAILED` with that as its cause; what it answers wrongly is `ENV_INVALID`. Both
 * name the call, the step and the episode. A call that never returns cannot be interrupted.
 */
export class GuardedEnvironment {
  readonly #environment: CustomEnvironment;
  readonly #use: 'training' | 'evaluation';
  readonly #dynamics: Dynamics;
  #episode = 0;
  /** Steps of the episode. */
  #step = 0;

  /** @throws VirelError `ENV_FAILED`, `ENV_INVALID` of `create`. */
  constructor(environment: CustomEnvironment, use: 'training' | 'evaluation') {
    this.#environment = environment;
    this.#use = use;
    this.#dynamics = this.#makeDynamics();
  }

  /** s, [O]. */
  reset(random: Random): Float64Array {
    this.#episode += 1;
    this.#step = 0;
    users.set(this.#dynamics.step, this);
    const observation = this.#call('reset()', () => this.#dynamics.reset(random));
    return this.#vector('reset()', 'the observation', observation);
  }

  /** @param action [A], environment units; given away. */
  step(action: Float64Array, random: Random): CheckedStep {
    this.#step += 1;
    this.#expectOwn();
    const answer = this.#call('step()', () => this.#dynamics.step(action, random));
    if (typeof answer !== 'object' || answer === null) {
      const expected = 'an object {observation, reward, terminated}';
      throw this.#invalid('step()', 'the answer', expected, describe(answer));
    }
    const { observation, reward, terminated, truncated = false } = answer;
    return {
      observation: this.#vector('step()', 'observation', observation),
      reward: this.#number('reward', reward),
      terminated: this.#flag('terminated', terminated),
      truncated: this.#flag('truncated', truncated),
    };
  }

  #makeDynamics(): Dynamics {
    const { create, reset, step } = this.#environment;
    if (create === undefined) return { reset, step };
    const dynamics = this.#call('create()', create);
    for (const name of ['reset', 'step'] as const) {
      const call: unknown = dynamics?.[name];
      if (typeof call === 'function') continue;
      throw this.#invalid('create()', name, 'a function', describe(call));
    }
    return dynamics;
  }

  /** A shared state that someone else has reset meanwhile is not ours to step. */
  #expectOwn(): void {
    const { create, id } = this.#environment;
    if (create !== undefined || users.get(this.#dynamics.step) === this) return;
    throw new VirelError(
      'ENV_SHARED',
      `environment ${id}: another run of this process has reset it`,
      {
        where: `environment ${id}`,
        expected: 'one run at a time of an environment with reset and step',
        fix: 'define it by create(), which makes a state for every use, or train in processes of their own (--jobs)',
      },
    );
  }

  /** ` at step 17 of episode 3 of training` */
  #at(call: string): string {
    if (call === 'create()') return ` for ${this.#use}`;
    const moment = call === 'step()' ? `step ${this.#step}` : 'the start';
    return ` at ${moment} of episode ${this.#episode} of ${this.#use}`;
  }

  /** What a call of the environment answers, at once. */
  #call<Result>(call: string, run: () => Result): Result {
    let answer: Result;
    try {
      answer = run();
    } catch (cause) {
      throw this.#failed(call, cause);
    }
    if (typeof (answer as PromiseLike<unknown> | undefined)?.then !== 'function') return answer;
    // its rejection has no other listener, and would end the process
    Promise.resolve(answer).catch(() => {});
    throw this.#invalid(call, 'the answer', 'a value at once (no async function)', 'a promise');
  }

  #failed(call: string, cause: unknown): VirelError {
    const { id } = this.#environment;
    const reason = messageOf(cause);
    const origin = originOf(cause);
    const message = `environment ${id}: ${call} threw${this.#at(call)}: ${reason}`;
    return new VirelError('ENV_FAILED', message, {
      where: `${call} of environment ${id}${origin && `, ${origin}`}`,
      got: reason,
      fix: 'mend the environment; the cause of this error has the whole stack',
      cause,
    });
  }

  #invalid(call: string, what: string, expected: string, got: string): VirelError {
    const { id } = this.#environment;
    const at = `${what} of ${call}${this.#at(call)}`;
    return new VirelError(
      'ENV_INVALID',
      `environment ${id}: ${at}: expected ${expected}, got ${got}`,
      {
        where: `${call} of environment ${id}`,
        expected,
        got,
        fix: 'mend the environment: docs/custom-environments.md says what each call answers',
      },
    );
  }

  #vector(call: string, what: string, value: unknown): Float64Array {
    const size = this.#environment.observationSize;
    const expected = `an array of ${size} numbers (observationSize)`;
    const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value);
    if (!isList) throw this.#invalid(call, what, expected, describe(value));
    const list = value as ArrayLike<unknown>;
    if (list.length !== size) throw this.#invalid(call, what, expected, `${list.length} values`);
    const vector = new Float64Array(size);
    for (let index = 0; index < size; index += 1) {
      const element = list[index];
      if (!isUsable(element)) {
        throw this.#invalid(call, `${what}[${index}]`, USABLE, describe(element));
      }
      vector[index] = element;
    }
    return vector;
  }

  #number(what: string, value: unknown): number {
    if (isUsable(value)) return value;
    throw this.#invalid('step()', what, USABLE, describe(value));
  }

  #flag(what: string, value: unknown): boolean {
    if (typeof value === 'boolean') return value;
    throw this.#invalid('step()', what, 'true or false', describe(value));
  }
}

/** Networks and replay hold float32: what overflows there is infinite to them. */
const USABLE = 'a finite number (of float32)';
const isUsable = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(Math.fround(value));

const describe = (value: unknown) => (typeof value === 'function' ? 'a function' : show(value));

function messageOf(cause: unknown): string {
  const message = (cause as Error | undefined)?.message;
  return typeof message === 'string' && message !== '' ? message : show(cause);
}

/** The innermost place of an error's stack, such as `file:///home/me/pendulum.mjs:12:9`. */
function originOf(cause: unknown): string {
  const stack = (cause as Error | undefined)?.stack;
  return /^\s+at .*?([^\s(]+:\d+:\d+)\)?$/m.exec(typeof stack === 'string' ? stack : '')?.[1] ?? '';
}
