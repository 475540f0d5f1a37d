/** Every command and every program of docs/watching.md, run as its reader would, in one folder. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeRecording, type Recording } from '../../src/watch/shared/recording.js';
import { compile, start } from '../cli/command.js';
import { shortRun } from '../export/runs.js';

const PATIENCE = 240_000;
const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(root, 'docs/watching.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'virel-watching-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, text = '']) => text,
  );
const commands = blocks('sh').join('').trimEnd().split('\n');
const RUN = 'runs/Hopper-v5/virel/run';

/** Runs a command of the page; `watch` without `--static` until it says its address. */
async function runCommand(line: string): Promise<string> {
  const [npx, name, ...words] = line.split(' ');
  expect([line, npx, name]).toEqual([line, 'npx', 'virel-native']);
  const running = start(words, folder);
  if (words[0] === 'watch' && !words.includes('--static')) {
    await running.says('watching http://127.0.0.1:');
    running.child.kill('SIGINT');
  }
  const { code, stdout, stderr } = await running.ended;
  expect([line, code, stderr.includes('error')]).toEqual([line, 0, false]);
  return stdout;
}

beforeAll(async () => {
  compile();
  await shortRun(folder, RUN, { env: 'Hopper-v5', network: { hidden: [4] } });
  for (const line of commands) await runCommand(line);
}, PATIENCE);

describe('docs/watching.md', () => {
  it('has commands that do what it says of them', () => {
    expect(commands).toHaveLength(4);
    const recordings = readdirSync(join(folder, RUN, 'recordings'));
    expect(recordings).toEqual(
      expect.arrayContaining(['000000000300-s0.qrec', '000000000300-s1.qrec']),
    );
    expect(existsSync(join(folder, 'site/mujoco.wasm'))).toBe(true);
    expect(readdirSync(join(folder, 'mail'))).toEqual(['index.html']);
    const size = statSync(join(folder, 'mail/index.html')).size;
    expect(Math.round(size / 1e6)).toBe(Number(/`index\.html` of (\d+) MB/.exec(page)?.[1]));
  });

  it(
    'has a program for Node that does what it says, from the package as it is built',
    () => {
      mkdirSync(join(folder, 'node_modules'));
      symlinkSync(root, join(folder, 'node_modules/virel-native'));
      writeFileSync(join(folder, 'page.mjs'), blocks('js')[0] as string);
      const env = { ...process.env, NODE_OPTIONS: '' };
      const options = { cwd: folder, env, encoding: 'utf8' } as const;
      const [url, recorded] = execFileSync(process.execPath, ['page.mjs'], options).split('\n');
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#t=[\w-]{22}$/);
      const file = join(realpathSync(folder), RUN, 'recordings/000000000300-s3.qrec');
      expect(recorded).toBe(
        `${file} ${(decodeRecording(readFileSync(file)) as Recording).header.return}`,
      );
      expect(readFileSync(join(folder, 'from-node/index.html'), 'utf8')).toContain(
        '000000000300-s3',
      );
    },
    PATIENCE,
  );

  it('has a reader in Python that reads what ours reads, where numpy is (VIREL_PYTHON)', () => {
    const python = process.env['VIREL_PYTHON'] ?? 'python3';
    const file = join(folder, RUN, 'recordings/000000000300-s0.qrec');
    const [reader = ''] = blocks('python');
    const say =
      'about, rows = read_recording(FILE)\nprint(json.dumps([about["env"], rows["qpos"].tolist(), rows["reward"].tolist()]))';
    const program = `${reader}\n${say.replace('FILE', JSON.stringify(file))}`;
    const { status, stdout, stderr } = spawnSync(python, ['-c', program], { encoding: 'utf8' });
    if (status === null || stderr.includes('ModuleNotFoundError')) {
      console.warn('not run, no Python with numpy: the reader of docs/watching.md');
      return;
    }
    const { qpos, reward, header } = decodeRecording(readFileSync(file)) as Recording;
    const [env, positions, rewards] = JSON.parse(stdout);
    expect([env, positions.flat(), rewards]).toEqual([header.env, [...qpos], [...reward]]);
  });

  it('shows a picture that is there, and names codes that the sources know', () => {
    const [, picture = ''] = /!\[.*?\]\((.*?)\)/.exec(page) ?? [];
    expect(
      readFileSync(join(root, 'docs', picture))
        .subarray(1, 4)
        .toString(),
    ).toBe('PNG');
    const sources = execFileSync(
      'grep',
      ['-rhoE', "'[A-Z]+_[A-Z_]+'|HOST_OPEN", join(root, 'src')],
      { encoding: 'utf8' },
    );
    for (const [, code = ''] of page.matchAll(/`([A-Z]+_[A-Z_]+)`/g)) {
      expect([code, sources.includes(code)]).toEqual([code, true]);
    }
  });
});
