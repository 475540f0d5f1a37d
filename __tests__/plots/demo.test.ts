/** Demos as files. */

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { drawDemo, isVirelError, writeDemo } from '../../src/index.js';
import { DEMOS } from '../../src/theory/index.js';

const folder = mkdtempSync(join(tmpdir(), 'virel-demo-'));
afterAll(() => rmSync(folder, { recursive: true }));

const errorOf = async (run: () => Promise<unknown>): Promise<unknown> =>
  run().then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a demo', () => {
  it.each([() => drawDemo('four-by-two'), () => writeDemo('four-by-two', join(folder, 'none'))])(
    'of no such name is a usage error with the names there are',
    async (run) => {
      const error = await errorOf(run);
      if (!isVirelError(error)) throw error;
      expect(error).toMatchObject({ code: 'DEMO_UNKNOWN', exit: 2, got: 'four-by-two' });
      for (const { name } of DEMOS) expect(error.message).toContain(name);
      expect(statSync(join(folder, 'none'), { throwIfNoEntry: false })).toBeUndefined();
    },
  );

  it('is written as numbers, SVG and PNG, into a folder that is made', async () => {
    const into = join(folder, 'a', 'b');
    const paths = await writeDemo('merl-counterexample', into);
    const name = join(into, 'merl-counterexample');
    expect(paths).toEqual([
      `${name}.json`,
      `${name}.svg`,
      `${name}-sweep.svg`,
      `${name}.png`,
      `${name}-sweep.png`,
    ]);
    const { result, pictures } = await drawDemo('merl-counterexample');
    expect(pictures.map(({ svg }) => svg)).toEqual(
      paths.slice(1, 3).map((path) => readFileSync(path, 'utf8')),
    );
    expect(readFileSync(`${name}.png`).subarray(1, 4).toString('latin1')).toBe('PNG');

    const written = JSON.parse(readFileSync(`${name}.json`, 'utf8'));
    expect(written.sweep).toEqual(result.sweep);
    result.traces.forEach(({ trace, ...named }, index) => {
      const { actionValue, policy, ...rest } = trace;
      expect(written.traces[index]).toEqual({
        ...named,
        trace: { ...rest, actionValue: [...actionValue], policy: [...policy] },
      });
    });
  });

  it('has no sweep but for the counter-example', async () => {
    const { result, pictures } = await drawDemo('three-by-two');
    expect(result.sweep).toBeNull();
    expect(pictures.map(({ name }) => name)).toEqual(['three-by-two']);
  });

  it('says which file the system refuses', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    const error = await errorOf(() => writeDemo('chain', join(file, 'below')));
    expect(error).toMatchObject({ code: 'IO', where: join(file, 'below', 'chain.json') });
  });
});
