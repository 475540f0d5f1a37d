/**
 * The guides: every verb has one, every command that a page shows is one that the parser and the schema accept, what is printed
 * without a clock is printed so, and every link leads somewhere.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse as parseYaml } from 'yaml';
import yargs, { type CommandModule } from 'yargs';
import { configLayers } from '../../src/cli/options.js';
import { resolveLayers } from '../../src/config/resolve.js';
import { readSweep } from '../../src/sweep/sweep-file.js';
import { compile, virel } from '../cli/command.js';

const PATIENCE = 120_000;
const root = fileURLToPath(new URL('../..', import.meta.url));
const commands = 'src/cli/commands';
const VERBS = readdirSync(join(root, commands)).map((file) => file.replace(/\.ts$/, ''));
const markdown = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join(folder, file));
const PAGES = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...markdown('docs')];
const read = (page: string) => readFileSync(join(root, page), 'utf8');

const folder = mkdtempSync(join(tmpdir(), 'virel-guides-'));
beforeAll(compile, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The words of a command line, as a shell would have them. */
const wordsOf = (line: string) =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

/** Every command of ours that a page shows, without its comment. */
const shown = PAGES.flatMap((page) =>
  [
    ...read(page)
      .replaceAll(/\\\n\s*/g, '')
      .matchAll(/^(?:npm install && )?npx virel-native (.*)$/gm),
  ]
    .map(([, line = '']) => line.replace(/ +#.*$/, ''))
    // README: the list of verbs has placeholders in capitals or brackets
    .filter((line) => !/<\w+>|\bNAME\b|\bRUNS\b/.test(line))
    .map((line) => [page, line] as const),
);

const done = Symbol('the line was accepted');

/** Parses a command line as the program does, and stops before the verb begins. */
async function parse(words: readonly string[]): Promise<Record<string, unknown>> {
  let parsed: Record<string, unknown> = {};
  const cli = yargs([...words])
    .parserConfiguration({ 'boolean-negation': false })
    .exitProcess(false)
    .strict()
    .demandCommand(1)
    .completion('completion', false)
    .middleware((args) => {
      parsed = args;
      throw done;
    })
    .fail((message, error) => {
      throw error ?? new Error(message);
    });
  for (const verb of VERBS) {
    const module = await import(`../../${commands}/${verb}.ts`);
    const found = Object.values(module).find(
      (each): each is CommandModule =>
        typeof each === 'object' && each !== null && 'command' in each,
    );
    if (found !== undefined) cli.command(found);
  }
  try {
    await cli.parseAsync();
  } catch (error) {
    if (error !== done) throw error;
  }
  return parsed;
}

describe('commands that the pages show', () => {
  it('are there, for every verb', () => {
    expect(shown.length).toBeGreaterThan(60);
    const verbs = new Set(shown.map(([, line]) => line.split(' ')[0]));
    for (const verb of VERBS) expect(verbs).toContain(verb);
  });

  it.each([...new Map(shown.map((each) => [each[1], each])).values()])(
    '%s: virel-native %s',
    async (_, line) => {
      const words = wordsOf(line);
      const args = await parse(words);
      const isTraining = words[0] === 'train' || (words[0] === 'config' && words[1] === 'show');
      // a file of the reader's own is not there
      if (!isTraining || args['config'] !== undefined || args['envModule'] !== undefined) return;
      const layers = configLayers(args, words);
      const needsFiles = JSON.stringify(layers).includes('modelFile');
      if (!needsFiles) expect(resolveLayers(layers).config.schema).toBe(1);
    },
    PATIENCE,
  );

  it('would not pass if an option or a verb were wrong', async () => {
    await expect(parse(['train', '--stepz', '5'])).rejects.toThrow('stepz');
    await expect(parse(['trian'])).rejects.toThrow('trian');
    await expect(parse(['config', 'shwo'])).rejects.toThrow('shwo');
  });
});

describe('guides', () => {
  it.each(VERBS)(
    'of %s is there, is in the index, and says what can go wrong and what is next',
    (verb) => {
      const page = read(`docs/guide/${verb}.md`);
      expect(page).toMatch(new RegExp(`^# ${verb}\n`));
      expect(page).toMatch(/2026-1\d-\d\d/);
      expect(page).toContain('## What can go wrong');
      expect(page).toMatch(/^Next: /m);
      expect(read('docs/README.md')).toContain(`[${verb}](guide/${verb}.md)`);
    },
  );

  it.each(['envs', 'algorithms', 'config'])(
    'of %s shows what its first command prints',
    async (verb) => {
      const [, line = '', output] =
        /^```sh\nnpx virel-native (.*)\n```\n```text\n(.*?)\n```$/ms.exec(
          read(`docs/guide/${verb}.md`),
        ) ?? [];
      const { code, stdout } = await virel(wordsOf(line), folder);
      expect(code).toBe(0);
      expect(stdout.trimEnd()).toBe(output);
    },
    PATIENCE,
  );

  it('name codes that the sources have', () => {
    const sources = [...sourceFiles('src', '.ts'), ...sourceFiles('native', '.rs')]
      .map((file) => read(file))
      .join('\n');
    for (const verb of VERBS)
      for (const [, row = ''] of read(`docs/guide/${verb}.md`).matchAll(
        /^\| ([^|]*`[A-Z][^|]*)\|/gm,
      ))
        for (const [, code = ''] of row.matchAll(/`([A-Z_]{2,})`/g))
          expect(code === 'FAILED' || sources.includes(code) ? [] : [verb, code]).toEqual([]);
  });

  it(
    'have a config file that is accepted',
    async () => {
      const [, yaml = ''] = /^```yaml\n(.*?)^```$/ms.exec(read('docs/guide/config.md')) ?? [];
      writeFileSync(join(folder, 'my.yaml'), yaml);
      expect(await virel(['config', 'validate', 'my.yaml'], folder)).toMatchObject({ code: 0 });
      const [schema = ''] = /node_modules\S+\.json/.exec(yaml) ?? [];
      expect(existsSync(join(root, schema.replace('node_modules/virel-native/', '')))).toBe(true);
    },
    PATIENCE,
  );
});

describe('docs/guide/sweep.md', () => {
  it('shows sweeps that are planned as it says', async () => {
    const files = [
      ...read('docs/guide/sweep.md').matchAll(/^```yaml\n(# (\w+\.yaml)\n.*?)^```$/gms),
    ];
    expect(files.map(([, , name]) => name)).toEqual(['sweep.yaml', 'search.yaml']);
    const [grid, random] = files.map(
      ([, text = '', name = '']) => readSweep(parseYaml(text), name).settings,
    );
    expect([grid?.length, random?.length]).toEqual([4, 32]);
  });
});

const sourceFiles = (of: string, ending: string) =>
  readdirSync(join(root, of), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => join(of, file));

describe('the quick start', () => {
  it(
    'works, command by command',
    async () => {
      const lines = [...read('docs/quick-start.md').matchAll(/^npx virel-native (.*)$/gm)];
      expect(lines.length).toBe(7);
      for (const [, line = ''] of lines) {
        // what the reader waits for in seconds, a test does not have to
        const words = wordsOf(line.replaceAll(/--steps (\d)000/g, '--steps $100'));
        const { code, stderr } = await virel(words, folder);
        expect([line, code, code === 0 ? '' : stderr]).toEqual([line, 0, '']);
      }
      expect(existsSync(join(folder, 'pendulum.svg'))).toBe(true);
    },
    2 * PATIENCE,
  );
});

describe('docs/reading-curves.md', () => {
  const curves = 'benchmarks/records/2026-11-25-amd-epyc/paper/curves';
  /** Mean of a group's and seed's points behind step 180,000, of the CSV beside a picture. */
  function meanOf(file: string, group: string, seed: string): number {
    const rows = read(join(curves, file))
      .split('\n')
      .map((line) => line.split(','))
      .filter((cells) => cells[1] === group && cells[2] === seed && Number(cells[3]) > 180_000);
    return rows.reduce((sum, cells) => sum + Number(cells[6]), 0) / rows.length;
  }
  const rowsOf = (title: string) => {
    const [, table = ''] = read('docs/reading-curves.md').split(title);
    return [...(table.split('\n\n')[0] ?? '').matchAll(/^\| seed (\d) +\|(.*)\|$/gm)].map(
      ([, seed = '', cells = '']) => ({ seed, numbers: cells.split('|').map(Number) }),
    );
  };
  const close = (shown: number | undefined, measured: number) =>
    // as many digits as are shown
    expect(Math.abs((shown ?? Number.NaN) - measured)).toBeLessThan(0.02 * Math.abs(measured));

  it('shows the means of the points that lie beside the pictures', () => {
    const cheetah = rowsOf('| `beta` on HalfCheetah-v5');
    expect(cheetah).toHaveLength(3);
    for (const { seed, numbers } of cheetah) {
      const [, temperature, error, entropy] = numbers;
      close(temperature, meanOf('temperature.csv', 'beta', seed));
      close(error, meanOf('residual-error.csv', 'beta', seed));
      close(entropy, meanOf('entropy.csv', 'beta', seed));
    }
    const hopper = rowsOf('| `virel` on Hopper-v5');
    expect(hopper).toHaveLength(3);
    for (const { seed, numbers } of hopper) close(numbers[1], meanOf('bias.csv', 'virel', seed));
  });
});

/** The anchor that a heading gets on a page of Markdown. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-');

describe('links', () => {
  it.each(PAGES)('of %s lead to files, and to headings that are there', (page) => {
    const text = read(page).replaceAll(/^```.*?^```$/gms, '');
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? page : join(dirname(page), path);
      expect([target, existsSync(join(root, file))]).toEqual([target, true]);
      if (anchor === undefined) continue;
      const headings = [...read(file).matchAll(/^#+ (.*)$/gm)].map(([, each = '']) =>
        anchorOf(each),
      );
      expect(headings).toContain(anchor);
    }
  });
});
