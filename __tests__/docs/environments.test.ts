import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { OPTION_KINDS } from '../../src/environments/task-options.js';
import { TASKS } from '../../src/environments/tasks.js';
import { Environment } from '../../src/native/environment.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(root, 'docs/environments.md'), 'utf8');

describe('docs/environments.md', () => {
  it('shows the task that the examples hold', () => {
    const [, shown] = /^```json\n(.*?)^```$/ms.exec(page) ?? [];
    expect(shown).toBe(readFileSync(join(root, 'examples/hopper-v5.json'), 'utf8'));
  });

  it('names examples and tasks that are there, and options that some task has', () => {
    const examples = readdirSync(join(root, 'examples'));
    for (const [, name = ''] of page.matchAll(/examples\/([\w.-]+)/g))
      expect(examples).toContain(name);
    const ids = TASKS.map(({ id }) => id);
    for (const [id] of page.matchAll(/\b\w+-(v[45]|rllab)\b(?!\.json)/g)) expect(ids).toContain(id);
    const keys = ['modelFile', 'taskFile', ...Object.keys(OPTION_KINDS)];
    for (const [, key = ''] of page.matchAll(/\benv\.(\w+)/g)) expect(keys).toContain(key);
  });

  it('shows a call that works', () => {
    const [, id = '', options = ''] =
      /Environment\.create\('([^']+)', (\{.*?\})\);/.exec(page) ?? [];
    const json = options.replace(/(\w+):/g, '"$1":');
    const environment = Environment.create(id, JSON.parse(json));
    expect(environment.observationSize).toBe(105);
    environment.dispose();
  });

  it('has examples that run', () => {
    const file = (name: string) => join(root, 'examples', name);
    const environment = Environment.create('cart-pole', {
      modelFile: file('cart-pole.xml'),
      taskFile: file('cart-pole.json'),
    });
    environment.reset(0);
    const { reward, info } = environment.step([0]);
    expect(reward).toBeGreaterThan(0.7);
    expect(Object.keys(info).sort()).toEqual(['effort', 'tip_height', 'upright']);
    environment.dispose();
  });
});
