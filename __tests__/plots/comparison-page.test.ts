/** `compare --html`: one page that says all, loads nothing and runs nothing, whatever a run is called. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parseHTML } from 'linkedom';
import { compareRuns } from '../../src/comparison/compare.js';
import { comparisonHtml } from '../../src/plots/runs.js';
import { compile, virel } from '../cli/command.js';
import { writeRun } from '../comparison/run-folders.js';

const folder = mkdtempSync(join(tmpdir(), 'virel-page-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A name that would be code, an attribute, an entity, or turn the line round. */
const HOSTILE = '</title><script>alert(1)</script><img src=x onerror=alert(1)> "\' &lt; \u202e abc';
const returns = (end: number) => Array.from({ length: 10 }, (_, index) => (end * (index + 1)) / 10);
const scores = { sac: [100, 250, 180], virel: [200, 300, 410] };
const runs: string[] = [];

beforeAll(() => {
  compile();
  for (const [algorithm, ends] of Object.entries(scores))
    ends.forEach((end, seed) => {
      const name = seed === 0 ? HOSTILE.replaceAll('/', '_') : `seed-${seed}`;
      const root = join(folder, 'runs', algorithm);
      runs.push(writeRun(root, name, { options: { algorithm, seed }, returns: returns(end) }));
    });
});

/** A comparison whose second group has the hostile name, as a config of someone else's may give it. */
function hostile() {
  const comparison = compareRuns(runs, { baseline: 'sac', reps: 200, require: ['IQM(sac)>1000'] });
  const renamed = JSON.stringify(comparison).replaceAll('"virel"', JSON.stringify(HOSTILE));
  return JSON.parse(renamed) as typeof comparison;
}
const facts = {
  command: `npx virel-native compare '${HOSTILE}'`,
  group: ['algorithm'],
  version: '1',
};

describe('the page of a comparison', () => {
  it('has tables, picture, statements, warnings, settings, runs and the command', async () => {
    const command = "npx virel-native compare runs --require 'IQM(sac)>1000'";
    const options = { baseline: 'sac', reps: 200, require: ['IQM(sac)>1000'] };
    const html = await comparisonHtml(compareRuns(runs, options), { ...facts, command });
    const { document } = parseHTML(html);
    const text = (selector: string) =>
      [...document.querySelectorAll(selector)].map(({ textContent }) => textContent);
    expect(text('h1')).toEqual(['Hopper-v5 at 1,000 steps']);
    expect(text('h2')).toEqual([
      'Statements',
      'Hopper-v5',
      'Picture',
      'How these numbers come about',
      'Runs',
    ]);
    expect(text('tbody tr').join('\n')).toMatch(/IQM\(sac\)>1000176\.7does not hold/);
    expect(text('tbody tr').join('\n')).toMatch(/virel3303\.3303\.3 \[200\.0, 374\.3\]0\.89 \[/);
    expect(text('.warning li')).toEqual([
      'FEW_SEEDS seeds on Hopper-v5: sac 3, virel 3; claims need 5, headlines 10',
    ]);
    expect(text('dd').join('\n')).toContain('200 replicates, seed 0');
    expect(text('dd').join('\n')).toContain('RUNS_NOT_POOLABLE');
    expect(text('pre code')).toEqual([command]);
    expect(text('.runs tbody tr')).toHaveLength(6);
    expect(document.querySelectorAll('figure svg circle').length).toBeGreaterThan(6);
    expect(html).toContain('@media (prefers-color-scheme:dark)');
  });

  it('is text wherever a name stands, and loads nothing', async () => {
    const html = await comparisonHtml(hostile(), facts);
    expect(html).not.toMatch(/<script|<img|<link|<iframe|javascript:|https?:|url\(|@import|\/\//i);
    expect(html).not.toContain('\u202e');
    const { document } = parseHTML(html);
    const names = [...document.querySelectorAll('*')].map(({ tagName }) => tagName.toLowerCase());
    expect(names).not.toContain('script');
    for (const element of document.querySelectorAll('*'))
      for (const { name } of element.attributes) expect(name).not.toMatch(/^on|^href|^src/);
    // it is all there, seen
    const shown = HOSTILE.replace('\u202e', '\\u202e');
    const heads = [...document.querySelectorAll('tbody th')].map(({ textContent }) => textContent);
    expect(heads).toContain(shown);
    expect(document.querySelector('meta[http-equiv]')?.getAttribute('content')).toContain(
      "default-src 'none'",
    );
  });

  it('is the same for the same comparison', async () => {
    expect(await comparisonHtml(hostile(), facts)).toBe(await comparisonHtml(hostile(), facts));
  });
});

describe('compare --html', () => {
  it('writes the page, whose command makes it again', async () => {
    const words = [
      'compare',
      'runs',
      '--baseline',
      'sac',
      '--reps',
      '200',
      '--html',
      'a/page.html',
    ];
    const { code, stderr } = await virel(words, folder);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/\na\/page\.html\n$/)]);
    const page = readFileSync(join(folder, 'a/page.html'), 'utf8');
    const typed = parseHTML(page).document.querySelector('pre code')?.textContent ?? '';
    const bin = join(process.cwd(), 'bin/virel-native.js');
    const script = typed.replace('npx virel-native', `'${process.execPath}' '${bin}'`);
    writeFileSync(join(folder, 'a/page.html'), '');
    const { NODE_OPTIONS: _jest, ...env } = process.env;
    execFileSync('bash', ['-c', script], { cwd: folder, stdio: 'pipe', env });
    expect(readFileSync(join(folder, 'a/page.html'), 'utf8')).toBe(page);
  });

  it('names the folder of a hostile name so that bash reads it back', async () => {
    const [first = '', ...others] = runs;
    const words = ['compare', first, ...others, '--reps', '100', '--html', 'hostile.html'];
    expect((await virel(words, folder)).code).toBe(0);
    const page = readFileSync(join(folder, 'hostile.html'), 'utf8');
    const typed = parseHTML(page).document.querySelector('pre code')?.textContent ?? '';
    const said = execFileSync('bash', ['-c', typed.replace('npx', "printf '%s\\n'")], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
    expect(said.split('\n').slice(1, -1)).toEqual(words);
  });

  it('refuses another kind of file before anything is computed', async () => {
    const { code, stderr } = await virel(['compare', 'runs', '--html', 'page.pdf'], folder);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('error CLI_USAGE: --html: page.pdf'),
    ]);
  });
});
