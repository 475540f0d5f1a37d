/** `virel-native watch` and `eval --record` as processes. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeRecording, type Recording } from '../../src/watch/shared/recording.js';
import { shortRun } from '../export/runs.js';
import { chromiumPath, openBrowser, until, visit } from '../watch/browser.js';
import { fakeRun } from '../watch/fake-runs.js';
import { compile, start, virel } from './command.js';

const PATIENCE = 180_000;
/** Milliseconds until the browser's program was called; below the patience of a test, which would leave the process behind. */
const OPEN_PATIENCE = 60_000;
const folder = mkdtempSync(join(tmpdir(), 'virel-watch-cli-'));
const RUN = 'runs/Hopper-v5/virel/seed-0';
const run = (...words: string[]) => virel(words, folder);
const recordings = (runDir: string) => {
  const path = join(folder, runDir, 'recordings');
  return existsSync(path) ? readdirSync(path).sort() : [];
};

beforeAll(async () => {
  compile();
  await shortRun(folder, RUN, { env: 'Hopper-v5', network: { hidden: [4] } });
}, PATIENCE);
afterAll(() => rmSync(folder, { recursive: true }));

describe('eval --record', () => {
  it(
    'writes that many episodes, seeds counting up, and names their files',
    async () => {
      const { code, stdout } = await run(
        'eval',
        'latest',
        '--episodes',
        '1',
        '--record',
        '2',
        '--seed',
        '3',
      );
      expect(code).toBe(0);
      const files = [3, 4].map((seed) => `000000000300-s${seed}.qrec`);
      expect(stdout.trimEnd().split('\n').slice(1)).toEqual(
        files.map((name) => `recorded ${RUN}/recordings/${name}`),
      );
      expect(recordings(RUN)).toEqual(files);
      const bytes = readFileSync(join(folder, RUN, 'recordings', files[0] as string));
      const { header, frames, reward } = decodeRecording(bytes) as Recording;
      const { model } = JSON.parse(readFileSync(join(folder, RUN, 'run.json'), 'utf8'));
      expect(header).toMatchObject({
        env: 'Hopper-v5',
        step: 300,
        nq: 6,
        nu: 3,
        seed: 3,
        model: model.sha256,
      });
      expect(header.dt).toBeCloseTo(0.008, 12);
      expect(frames).toBe(header.steps + 1);
      expect(reward.reduce((sum, value) => sum + value, 0)).toBeCloseTo(header.return, 2);
    },
    PATIENCE,
  );

  it(
    'names the files in --json, and refuses a number that is none',
    async () => {
      const { stdout } = await run('eval', 'latest', '--episodes', '1', '--record', '1', '--json');
      expect(JSON.parse(stdout).recordings).toEqual([
        expect.stringMatching(/recordings\/000000000300-s0\.qrec$/),
      ]);
      const wrong = await run('eval', 'latest', '--record', 'many');
      expect([wrong.code, wrong.stdout]).toEqual([2, '']);
      expect(wrong.stderr).toContain('error CONFIG_TYPE: --record');
    },
    PATIENCE,
  );
});

describe('watch', () => {
  it(
    'prints the address, serves, and ends on a signal with exit 0',
    async () => {
      const { child, ended, says } = start(['watch', 'latest'], folder);
      await says('watching http://127.0.0.1:');
      child.kill('SIGINT');
      const { code, stdout } = await ended;
      expect(code).toBe(0);
      expect(stdout).toMatch(/^watching http:\/\/127\.0\.0\.1:\d+\/#t=[\w-]{22}\n$/);
    },
    PATIENCE,
  );

  it(
    'records an episode of the newest checkpoint by itself',
    async () => {
      rmSync(join(folder, RUN, 'recordings'), { recursive: true });
      const { child, ended, says } = start(['watch', RUN, '--json'], folder);
      await says('"event":"watching"');
      for (let tries = 0; recordings(RUN).length === 0 && tries < 600; tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      child.kill('SIGTERM');
      const { stdout } = await ended;
      expect(recordings(RUN).at(0)).toMatch(/^000000000300-s0\.qrec/);
      expect(JSON.parse(stdout)).toMatchObject({ event: 'watching', port: expect.any(Number) });
    },
    PATIENCE,
  );

  describe('--open', () => {
    const temporary = join(folder, 'temporary');
    const programs = join(folder, 'programs');
    beforeAll(() => {
      mkdirSync(temporary);
      mkdirSync(programs);
      for (const name of ['xdg-open', 'open']) {
        const text =
          '#!/bin/sh\nprintf "%s\\n" "$@" > "$OPENED.new" && mv "$OPENED.new" "$OPENED"\n';
        writeFileSync(join(programs, name), text, { mode: 0o755 });
      }
    });

    /** Watches with `--open` until the browser's program was called. @returns Its arguments, one a line. */
    async function opened(name: string) {
      const told = join(folder, name);
      const PATH = `${programs}${delimiter}${process.env['PATH']}`;
      const env = { PATH, TMPDIR: temporary, OPENED: told };
      const running = start(['watch', RUN, '--open', '--no-record', '--json'], folder, env);
      let stdout = '';
      running.child.stdout?.on('data', (text: string) => {
        stdout += text;
      });
      await running.says('"event":"watching"');
      const end = performance.now() + OPEN_PATIENCE;
      while (!existsSync(told)) {
        if (performance.now() > end) {
          running.child.kill('SIGKILL');
          throw new Error(`no browser was opened: ${stdout}${(await running.ended).stderr}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const { url } = JSON.parse(stdout) as { url: string };
      return { running, url, words: readFileSync(told, 'utf8').trimEnd() };
    }

    it(
      "names a file of a folder that is the user's alone, not the token, and removes it in the end",
      async () => {
        const { running, url, words } = await opened('opened');
        const [, token = ''] = url.split('#t=');
        expect([token.length, words.includes(token), words.includes('http')]).toEqual([
          22,
          false,
          false,
        ]);
        expect(words).toMatch(/^.*\/virel-open-\w+\/open\.html$/);
        const modes = [dirname(words), words].map((path) => statSync(path).mode & 0o777);
        expect(modes).toEqual([0o700, 0o600]);
        expect(readFileSync(words, 'utf8')).toContain(`content="0;url=${url}"`);
        running.child.kill('SIGINT');
        expect((await running.ended).code).toBe(0);
        expect(readdirSync(temporary)).toEqual([]);
      },
      PATIENCE,
    );

    (chromiumPath === undefined ? it.skip : it)(
      'leads a browser to the page with its token',
      async () => {
        const { running, url, words } = await opened('led');
        const browser = await openBrowser();
        try {
          const { page } = await visit(browser, pathToFileURL(words).href);
          await page.waitForURL((at) => at.href.startsWith(url));
          await until(page, 'document.querySelectorAll(".run-name").length > 0');
        } finally {
          await browser.close();
          running.child.kill('SIGINT');
        }
        expect((await running.ended).code).toBe(0);
      },
      PATIENCE,
    );

    it(
      'serves on where there is no place for the file, and says so',
      async () => {
        const env = { TMPDIR: join(folder, 'nowhere') };
        const { child, ended, notes } = start(['watch', RUN, '--open', '--no-record'], folder, env);
        await notes('open the address above');
        child.kill('SIGINT');
        const { code, stderr } = await ended;
        expect(code).toBe(0);
        expect(stderr).toMatch(/no browser is opened \(ENOENT: .*\): open the address above/);
      },
      PATIENCE,
    );
  });

  it(
    'warns of a host that others reach',
    async () => {
      const words = ['watch', RUN, '--host', '0.0.0.0', '--no-record'];
      const { child, ended, says } = start(words, folder);
      await says('watching ');
      child.kill('SIGINT');
      expect((await ended).stderr).toContain('warning HOST_OPEN: whoever reaches 0.0.0.0');
    },
    PATIENCE,
  );

  it(
    'says that a port is in use, once, with the way out',
    async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      const { code, stdout, stderr } = await run('watch', RUN, '--port', String(port));
      server.close();
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr).toBe(
        `error PORT_IN_USE: port ${port} is in use\n  where: 127.0.0.1:${port}\n  fix: --port 0 takes one that is free\n`,
      );
    },
    PATIENCE,
  );

  it.each([
    [['nothing'], 'error RUN_NOT_FOUND: no run nothing'],
    [['--port', '70000'], 'error CONFIG_RANGE: --port: expected 0 to 65535'],
    [['--port', 'x'], 'error CONFIG_TYPE: --port'],
    [['--host', ''], 'error CLI_USAGE: --host'],
    [['--host', '192.0.2.1'], 'error CLI_USAGE: 192.0.2.1 is no address of this machine'],
    [['--single-file'], 'error CLI_USAGE: --single-file without --static'],
    [['--force'], 'error CLI_USAGE: --force without --static'],
    [['--static', ''], 'error CLI_USAGE: --static'],
    [['--static', 'x', '--open'], 'error CLI_USAGE: --open with --static'],
    [['--statik', 'x'], 'did you mean --static?'],
    [['--port', '1', '--port', '2'], 'error CLI_USAGE: --port is given more than once'],
  ] as const)(
    '%j exits 2 with one clear error and nothing written',
    async (words, message) => {
      const before = readdirSync(folder);
      const { code, stdout, stderr } = await run('watch', ...words);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toContain(message);
      expect(stderr).toContain('fix: ');
      expect(stderr).not.toMatch(/^ {4}at /m);
      expect(readdirSync(folder)).toEqual(before);
    },
    PATIENCE,
  );
});

describe('watch --static', () => {
  it(
    'prints the files, and writes over none of them unless told',
    async () => {
      const first = await run('watch', RUN, '--static', 'site');
      expect(first.code).toBe(0);
      const names = readdirSync(join(folder, 'site')).sort();
      expect(names).toEqual([
        '000000000300-s0.qrec',
        'icon.svg',
        'index.html',
        'licences.txt',
        'model.xml',
        'mujoco.wasm',
        'page.css',
        'page.js',
        'run.json',
      ]);
      expect(first.stdout.trimEnd().split('\n')).toHaveLength(names.length);
      // the robot comes under the licence of who made it
      const licences = readFileSync(join(folder, 'site/licences.txt'), 'utf8');
      expect(licences).toMatch(/model\.xml: Gymnasium\s+The MIT License/);
      const again = await run('watch', RUN, '--static', 'site');
      expect([again.code, again.stdout]).toEqual([2, '']);
      expect(again.stderr).toContain('error EXPORT_EXISTS: ');
      expect(again.stderr).toContain(
        'fix: name another folder: --static DIR, or replace it: --force',
      );
      expect((await run('watch', RUN, '--static', 'site', '--force')).code).toBe(0);
    },
    PATIENCE,
  );

  it(
    'takes nothing of the machine along, and says in words what it could not record',
    async () => {
      fakeRun(folder, 'others/run');
      const words = ['watch', 'others/run', '--static', 'mail', '--single-file', '--json'];
      const { code, stdout } = await run(...words);
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({
        event: 'written',
        dir: join(folder, 'mail'),
        files: [{ bytes: expect.any(Number) }],
      });
      const page = readFileSync(join(folder, 'mail/index.html'), 'utf8');
      expect([page.includes('SECRET'), page.includes(folder)]).toEqual([false, false]);
    },
    PATIENCE,
  );

  it(
    'without the native part warns, and writes the curves',
    async () => {
      rmSync(join(folder, RUN, 'recordings'), { recursive: true });
      const none = { VIREL_NATIVE_ADDON: '/nowhere', VIREL_SETUP: 'never' };
      const { code, stderr } = await virel(['watch', RUN, '--static', 'curves'], folder, none);
      expect([code, recordings(RUN)]).toEqual([0, []]);
      expect(stderr).toMatch(/^warning: No new recording \(NATIVE_\w+: /);
      expect(existsSync(join(folder, 'curves/run.json'))).toBe(true);
    },
    PATIENCE,
  );

  it(
    'of a run whose files are damaged says so in the page, and loses nothing of the rest',
    async () => {
      const hurt = fakeRun(folder, 'hurt/run');
      writeFileSync(join(hurt, 'config.yaml'), 'a: [');
      const { code } = await run('watch', 'hurt/run', '--static', 'hurt-site');
      const { facts, update } = JSON.parse(
        readFileSync(join(folder, 'hurt-site/run.json'), 'utf8'),
      );
      expect([code, facts.problems]).toEqual([0, [expect.stringContaining('config.yaml')]]);
      expect(update.metrics.step).toEqual([1000, 2000]);
    },
    PATIENCE,
  );
});
