/** Every command and every program of docs/exporting.md, run as its reader would, in one folder. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createContext, SourceTextModule } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { install } from '../cli/command.js';
import { shortRun } from '../export/runs.js';

const PATIENCE = 240_000;
const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(root, 'docs/exporting.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'virel-exporting-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, text = '']) => text,
  );
const plain = { cwd: folder, env: { ...process.env, NODE_OPTIONS: '' }, encoding: 'utf8' } as const;

/** Programs that npx finds in a checkout. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'virel-native': join(root, 'bin/virel-native.js'),
  tsc: join(root, 'node_modules/typescript/bin/tsc'),
};

beforeAll(async () => {
  install(folder);
  await shortRun(folder, 'runs/Hopper-v5/virel/run', {
    env: 'Hopper-v5',
    network: { hidden: [8] },
  });
  for (const line of blocks('sh').join('').trimEnd().split('\n')) {
    const [npx, name = '', ...words] = line.split(' ');
    expect([line, npx, name in PROGRAMS]).toEqual([line, 'npx', true]);
    execFileSync(process.execPath, [PROGRAMS[name] as string, ...words], plain);
  }
}, PATIENCE);

describe('docs/exporting.md', () => {
  it('lists the files that its commands wrote', () => {
    const table = [...page.matchAll(/^\| `(\w+)` +\| (`.*?`) +\|$/gm)];
    const listed = Object.fromEntries(
      table.map(([, format = '', files = '']) => [
        format,
        [...files.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string),
      ]),
    );
    const out = { onnx: 'policy', safetensors: 'parameters', hub: 'hub', parquet: 'data' };
    for (const [format, dir] of Object.entries(out)) {
      const there = readdirSync(join(folder, dir)).filter((name) => !name.startsWith('policy.ts'));
      expect([format, there.filter((name) => name !== 'policy.js').sort()]).toEqual([
        format,
        listed[format]?.sort(),
      ]);
    }
    expect(existsSync(join(folder, 'policy', listed['typescript']?.[0] ?? ''))).toBe(true);
  });

  it('has a program for Node that runs', () => {
    const [program = ''] = blocks('js');
    const run = `const runDir = 'runs/Hopper-v5/virel/run';\n`;
    writeFileSync(join(folder, 'export.mjs'), program.replace('\n\n', `\n${run}`));
    execFileSync(process.execPath, ['export.mjs'], plain);
    expect(readdirSync(join(folder, 'from-node'))).toEqual(['policy.onnx']);
  });

  it('has a page that acts', async () => {
    const [, script = ''] =
      /<script type="module">(.*?)<\/script>/s.exec(blocks('html')[0] ?? '') ?? [];
    const body = { textContent: '' };
    const context = createContext({ atob, document: { body } });
    const module = new SourceTextModule(script, { context });
    await module.link((file: string) => {
      return new SourceTextModule(readFileSync(join(folder, file), 'utf8'), { context });
    });
    await module.evaluate();
    const action = body.textContent.split(' ').map(Number);
    expect(action).toHaveLength(3);
    for (const value of action) expect(Math.abs(value)).toBeLessThanOrEqual(1);
  });

  it('has Python that runs, where its packages are (VIREL_PYTHON)', () => {
    const python = process.env['VIREL_PYTHON'] ?? 'python3';
    for (const program of blocks('python')) {
      const { status, stderr } = spawnSync(python, ['-c', program], plain);
      if (status === null || stderr.includes('ModuleNotFoundError')) {
        console.warn(`not run, no Python with its packages: ${program.split('\n')[0]}`);
        continue;
      }
      expect([status, stderr]).toEqual([0, '']);
    }
  });
});
