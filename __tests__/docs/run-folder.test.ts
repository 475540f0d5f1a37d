import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { LEAF_PATHS } from '../../src/config/schema.js';
import { metricsLine, readMetrics } from '../../src/logging/metrics-line.js';
import { train } from '../../src/training/train.js';
import { MemorySession } from '../training/memory-session.js';

const page = readFileSync(
  fileURLToPath(new URL('../../docs/run-folder.md', import.meta.url)),
  'utf8',
);
const folder = mkdtempSync(join(tmpdir(), 'virel-run-folder-'));
afterAll(() => rmSync(folder, { recursive: true }));

const block = (language: string) =>
  new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(page)?.[1] ?? '';

describe('docs/run-folder.md', () => {
  it('lists every file that a run writes, and the keys that leave some out are keys', async () => {
    const listed = [...page.matchAll(/^\| (.*?)\|/gm)].flatMap(([, cell = '']) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
    );
    const runDir = join(folder, 'run');
    const control = { createSession: () => new MemorySession(), nativeFacts: () => undefined };
    await train({ runDir, env: 'Hopper-v5', steps: 20 }, control).finished;
    const isListed = (name: string) =>
      listed.some((each) => each.replace(/\/$/, '') === name) ||
      (name.startsWith('events.out.tfevents.') && listed.includes('events.out.tfevents.*'));
    expect(readdirSync(runDir).filter((name) => !isListed(name))).toEqual([]);
    for (const [key] of page.matchAll(/logging\.\w+|checkpoint\.\w+/g))
      expect([...LEAF_PATHS]).toContain(key);
  });

  it('shows a line whose checksum holds', () => {
    expect(readMetrics(block('text'))).toMatchObject({ records: [{ step: 1000 }], damaged: [] });
  });

  it('shows Python that reads what we write, and leaves out what is damaged', () => {
    const of = (step: number) => ({ step, updates: 1, wall: 0.1, m: { 'é "\u2028': 1 / 3 } });
    const lines = [1, 2, 3].map((step) => metricsLine(of(step)));
    const text = `${lines[0]}\n${lines[1]?.replace('"updates":1', '"updates":2')}\n${lines[2]?.slice(0, -2)}`;
    const path = join(folder, 'metrics.jsonl');
    writeFileSync(path, `${lines[2]}\n${text}`);
    const program = `${block('python')}\nimport sys\nprint(json.dumps(list(read_metrics(sys.argv[1]))))`;
    const read = execFileSync(process.env['VIREL_PYTHON'] || 'python3', ['-c', program, path], {
      encoding: 'utf8',
    });
    expect(JSON.parse(read)).toEqual([of(3), of(1)].map((record) => ({ v: 1, ...record })));
  });
});
