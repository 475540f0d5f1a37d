/** The page of `watch` in Chromium: the robot moves as it was recorded, the curves hold the points of the files. */
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { TASKS } from '../../src/environments/tasks.js';
import { metricsLine } from '../../src/logging/metrics-line.js';
import { modelDirectory } from '../../src/native/addon.js';
import { Environment } from '../../src/native/environment.js';
import { loadRun } from '../../src/training/load-run.js';
import { recordEpisode } from '../../src/watch/record.js';
import type { Columns } from '../../src/watch/shared/columns.js';
import {
  decodeRecording,
  encodeRecording,
  type Recording,
} from '../../src/watch/shared/recording.js';
import { writeSite } from '../../src/watch/static-site.js';
import { type Watching, watch } from '../../src/watch/watch.js';
import { compile } from '../cli/command.js';
import { shortRun } from '../export/runs.js';
import { chromiumPath, onStage, openBrowser, until, visit } from './browser.js';
import { fakeRun } from './fake-runs.js';

const PATIENCE = 240_000;
const folder = mkdtempSync(join(tmpdir(), 'virel-page-'));
const runsDir = join(folder, 'runs');
const HOSTILE = '<img src=x onerror="document.title=1">';
let runDir = '';
/** An episode of the run's policy, and one that surely moves. */
let recorded: Recording;
let recording: Recording;
let watching: Watching;
let browser: Browser;
let page: Page;
let complaints: string[];
let foreign: string[];

const inBrowser = chromiumPath === undefined ? describe.skip : describe;

/** Evaluates in the page. */
const ask = <T>(expression: string, on = page) => on.evaluate(expression) as Promise<T>;
const stateOf = ({ qpos, header: { nq } }: Recording, frame: number) => [
  ...qpos.subarray(frame * nq, (frame + 1) * nq),
];

/** States of the native environment under actions that swing: a policy of 600 steps hardly moves. */
function gait(like: Recording['header']): Recording {
  const environment = Environment.create('HalfCheetah-v5');
  const { nu } = like;
  const frames = 121;
  const [qpos, action, reward]: [number[], number[], number[]] = [[], [], []];
  try {
    environment.reset(1);
    for (let frame = 0; frame < frames; frame += 1) {
      const swing = Array.from({ length: nu }, (_, part) => Math.sin(0.9 * frame + part));
      if (frame > 0) reward.push(environment.step(swing).reward);
      else reward.push(0);
      action.push(...swing);
      qpos.push(...environment.qpos);
    }
  } finally {
    environment.dispose();
  }
  return {
    header: { ...like, step: 601, seed: 1, steps: frames - 1, return: 0 },
    frames,
    qpos: Float32Array.from(qpos),
    action: Float32Array.from(action),
    reward: Float32Array.from(reward),
  };
}

/** The start state of a task alone. */
function startOf(env: string): Recording {
  const environment = Environment.create(env);
  try {
    environment.reset(0);
    const [qpos, nu] = [Float32Array.from(environment.qpos), environment.actionSize];
    const header = { ...recorded.header, env, nq: qpos.length, nu, steps: 0 };
    return { header, frames: 1, qpos, action: new Float32Array(nu), reward: Float32Array.of(0) };
  } finally {
    environment.dispose();
  }
}

/** The centre of the pixels of the robot on its stage, which alone are of another colour than stage, floor and shadow. */
const CENTRE = `(() => {
  const canvas = document.querySelector('.view canvas');
  virelWatch.seek(FRAME);
  const copy = document.createElement('canvas');
  copy.width = canvas.width; copy.height = canvas.height;
  const context = copy.getContext('2d');
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, copy.width, copy.height);
  let [count, x, y] = [0, 0, 0];
  for (let i = 0; i < data.length; i += 4) {
    // brown and red: the model's own colours; everything else of the stage is grey or bluish
    if (data[i] < data[i + 2] + 25) continue;
    count += 1; x += (i / 4) % copy.width; y += Math.floor(i / 4 / copy.width);
  }
  return { count, x: x / count / copy.width, y: y / count / copy.height };
})()`;
const centre = (frame: number, on = page) =>
  ask<{ count: number; x: number; y: number }>(CENTRE.replace('FRAME', String(frame)), on);

beforeAll(async () => {
  compile();
  if (chromiumPath === undefined) return;
  runDir = await shortRun(folder, 'runs/HalfCheetah-v5/virel/seed-0', {
    env: 'HalfCheetah-v5',
    network: { hidden: [16] },
    steps: 600,
    evaluation: { every: 100, episodes: 2 },
    logging: { every: 50 },
  });
  fakeRun(runsDir, HOSTILE, { env: HOSTILE, created: '2000-01-01T00:00:00.000Z' });
  const { file } = await recordEpisode(runDir, { seed: 0 });
  recorded = decodeRecording(readFileSync(file)) as Recording;
  recording = gait(recorded.header);
  writeFileSync(join(runDir, 'recordings/000000000601-s1.qrec'), encodeRecording(recording));
  watching = await watch({ run: runDir, runsDir, host: '127.0.0.1', port: 0, record: false });
  browser = await openBrowser();
  ({ page, complaints, foreign } = await visit(browser, watching.url));
  await onStage(page);
}, PATIENCE);
afterAll(async () => {
  await browser?.close();
  await watching?.close();
  rmSync(folder, { recursive: true });
});

inBrowser('a recording', () => {
  it('holds the states that the native environment goes through with its actions', () => {
    const environment = Environment.create('HalfCheetah-v5');
    try {
      environment.reset(0);
      const { nu } = recorded.header;
      for (let frame = 0; frame < recorded.frames; frame += 1) {
        if (frame > 0) environment.step(recorded.action.subarray(frame * nu, (frame + 1) * nu));
        const qpos = [...environment.qpos].map(Math.fround);
        expect([frame, qpos]).toEqual([frame, stateOf(recorded, frame)]);
      }
    } finally {
      environment.dispose();
    }
  });
});

inBrowser('the robot on the page', () => {
  it('stands where it was recorded: its body at the root joints, every part where MuJoCo puts it', async () => {
    const parts = await ask<{ geom: number; body: number; shape: string }[]>('virelWatch.parts()');
    const own = parts.filter(({ body }) => body > 0);
    expect(own).toHaveLength(8);
    const drawnAt = async (frame: number) => {
      await ask(`virelWatch.seek(${frame})`);
      return ask<number[][]>(
        `[${own.map(({ geom }) => geom)}].map((geom) => virelWatch.drawn(geom))`,
      );
    };
    for (const frame of [0, 10, 50, recording.frames - 1]) {
      const drawn = await drawnAt(frame);
      const [x = 0, z = 0, pitch = 0] = stateOf(recording, frame);
      // half_cheetah.xml: the torso hangs at z = 0.7, its own geom at the body's centre, the root joints move it
      const root = await ask<number[]>('virelWatch.root()');
      expect(root[0]).toBeCloseTo(x, 6);
      expect(root[2]).toBeCloseTo(0.7 + z, 6);
      const [torso = [], head = []] = drawn;
      expect(torso[0]).toBeCloseTo(x, 5);
      expect(torso[2]).toBeCloseTo(0.7 + z, 5);
      // the head lies at (0.6, 0.1) of the torso, which turns about y
      const [c, s] = [Math.cos(pitch), Math.sin(pitch)];
      expect(head[0]).toBeCloseTo(x + 0.6 * c + 0.1 * s, 4);
      expect(head[2]).toBeCloseTo(0.7 + z - 0.6 * s + 0.1 * c, 4);
    }
  });

  it('is seen to move in the pixels of the canvas, in the direction that was recorded', async () => {
    // the camera stays where the robot starts
    await ask('virelWatch.seek(0)');
    await ask('virelWatch.follow(false)');
    const x = (frame: number) => stateOf(recording, frame)[0] as number;
    let far = 0;
    for (let frame = 1; frame < recording.frames; frame += 1) {
      if (Math.abs(x(frame)) > Math.abs(x(far)) && Math.abs(x(frame)) < 0.8) far = frame;
    }
    const [start, end] = [await centre(0), await centre(far)];
    expect(start.count).toBeGreaterThan(300);
    expect(end.count).toBeGreaterThan(300);
    expect(Math.abs(x(far) - x(0))).toBeGreaterThan(0.05);
    expect(Math.sign(end.x - start.x)).toBe(Math.sign(x(far) - x(0)));
    expect(Math.abs(end.x - start.x)).toBeGreaterThan(0.005);
    // the same state is the same picture
    expect(await centre(0)).toEqual(start);
    await ask('virelWatch.follow(true)');
  });

  it('plays and stops by button and by key, and the slider chooses a time', async () => {
    await ask('virelWatch.seek(0)');
    await page.getByRole('button', { name: 'Play' }).click();
    await until(page, 'virelWatch.frame() > 3');
    await page.locator('.view canvas').focus();
    await page.keyboard.press('Space');
    await page.getByRole('button', { name: 'Play' }).waitFor();
    await page.getByRole('slider', { name: 'Time in the episode' }).fill('42');
    expect(await ask('virelWatch.frame()')).toBe(42);
    expect(await page.locator('.time').textContent()).toBe('2.10 / 6.00 s');
  });
});

inBrowser('a newer recording', () => {
  it('is played once the one on the stage is over, and never while another is chosen', async () => {
    const newer = join(runDir, 'recordings/000000000602-s1.qrec');
    const name = page.getByLabel('Recorded episode');
    await ask(`virelWatch.seek(${recording.frames - 3})`);
    writeFileSync(
      newer,
      encodeRecording({ ...recording, header: { ...recording.header, step: 602 } }),
    );
    await name.locator('option', { hasText: 'step 602' }).waitFor({ state: 'attached' });
    expect(await name.inputValue()).toBe('000000000601-s1');
    // playing begins anew from the last state alone
    await ask(`virelWatch.seek(${recording.frames - 3})`);
    await page.getByRole('button', { name: 'Play' }).click();
    await until(page, 'virelWatch.playing() === "000000000602-s1"');
    // its file goes below: by then it has been read
    await onStage(page);
    await name.selectOption('000000000601-s1');
    await until(page, 'virelWatch.playing() === "000000000601-s1"');
    rmSync(newer);
    await until(page, 'document.querySelectorAll(".player-head option").length === 2');
    expect(await name.inputValue()).toBe('000000000601-s1');
  });
});

inBrowser('the curves', () => {
  it('hold exactly the points of the files', async () => {
    const run = loadRun(runDir);
    const metrics = await ask<Columns>('virelWatch.metrics()');
    const records = run.metrics();
    expect(metrics.step).toEqual(records.map(({ step }) => step));
    for (const name of ['virel/temperature', 'policy/entropy', 'virel/residual_error_raw']) {
      const expected = records.map(({ m }) => m[name] ?? null);
      expect([name, metrics.m[name]]).toEqual([name, expected]);
    }
    const evaluations = await ask<Columns>('virelWatch.evaluations()');
    expect(evaluations.step).toEqual([100, 200, 300, 400, 500, 600]);
    expect(evaluations.m['mean']).toEqual(run.evaluations().map(({ returnMean }) => returnMean));
  });

  it('are drawn, with a text for who cannot see them', async () => {
    const charts = page.locator('figure.chart');
    expect(await charts.count()).toBe(6);
    expect(await charts.locator('canvas').count()).toBe(6);
    const label = await charts.first().locator('.plot').getAttribute('aria-label');
    expect(label).toMatch(/^Evaluation return over environment steps: 6 values, the newest -?\d/);
  });

  it('grow while the file does, without a reload', async () => {
    const m = { 'virel/temperature': 0.125, 'policy/entropy': 1 };
    const line = metricsLine({ step: 650, updates: 1, wall: 1, m });
    appendFileSync(join(runDir, 'metrics.jsonl'), `${line}\n`);
    await until(page, 'virelWatch.metrics().step.at(-1) === 650');
    expect(await ask('virelWatch.metrics().m["virel/temperature"].at(-1)')).toBe(0.125);
  });
});

inBrowser('the page', () => {
  it('lists runs, a hostile name as text, and shows the one that is chosen', async () => {
    const names = page.locator('.run-name');
    await until(page, 'document.querySelectorAll(".run-name").length === 2');
    expect(await names.allTextContents()).toEqual(['HalfCheetah-v5', HOSTILE]);
    await names.nth(1).click();
    await until(page, 'document.querySelector("h1").textContent.startsWith("<img")');
    expect(await page.locator('main img, nav img').count()).toBe(0);
    expect(await page.title()).toContain(HOSTILE);
    await names.nth(0).click();
    await onStage(page);
  });

  it('shows a recording that is cut short as far as it goes, and says so', async () => {
    const path = join(runDir, 'recordings/000000000600-s7.qrec');
    const whole = readFileSync(join(runDir, 'recordings/000000000600-s0.qrec'));
    writeFileSync(path, whole.subarray(0, 3000));
    const option = page.locator('.player select option', { hasText: 'cut short after' }).first();
    await option.waitFor({ state: 'attached' });
    const id = await option.getAttribute('value');
    await page.getByLabel('Recorded episode').selectOption(id);
    await until(page, 'Number(document.querySelector("input[type=range]").max) < 100');
    const frames = Number(await page.locator('input[type=range]').getAttribute('max')) + 1;
    expect(frames).toBe((decodeRecording(readFileSync(path)) as Recording).frames);
  });

  it.each(
    TASKS.filter(({ id, modelFile }) => modelFile !== '' && id.endsWith('-v5')).map(({ id }) => id),
  )(
    'draws %s: MuJoCo for the browser takes its model, and every moving part stands where it is',
    async (env) => {
      const dir = fakeRun(runsDir, `task-${env}`, { env, created: '2002-01-01T00:00:00.000Z' });
      const file = TASKS.find(({ id }) => id === env)?.modelFile as string;
      writeFileSync(join(dir, 'model.xml'), readFileSync(join(modelDirectory(), file)));
      mkdirSync(join(dir, 'recordings'));
      writeFileSync(join(dir, 'recordings/000000000001-s0.qrec'), encodeRecording(startOf(env)));
      const own = await watch({ run: dir, runsDir, host: '127.0.0.1', port: 0, record: false });
      const other = await visit(browser, own.url);
      try {
        await onStage(other.page);
        const drawn = await ask<number[][]>(
          'virelWatch.parts().filter(({ shape }) => shape !== "plane").map(({ geom }) => virelWatch.drawn(geom))',
          other.page,
        );
        expect(drawn.length).toBeGreaterThan(2);
        for (const place of drawn) expect(place.every(Number.isFinite)).toBe(true);
        expect(other.complaints).toEqual([]);
      } finally {
        await other.page.close();
        await own.close();
        rmSync(dir, { recursive: true });
      }
    },
  );

  it('says in words what is wrong with a model that MuJoCo refuses', async () => {
    const broken = fakeRun(runsDir, 'broken', {
      env: 'Broken',
      created: '2001-01-01T00:00:00.000Z',
    });
    writeFileSync(
      join(broken, 'model.xml'),
      '<mujoco><worldbody><geom type="teapot"/></worldbody></mujoco>',
    );
    const { addRecording } = await import('./fake-runs.js');
    addRecording(broken, 1);
    const own = await watch({ run: broken, runsDir, host: '127.0.0.1', port: 0, record: false });
    const other = await visit(browser, own.url);
    try {
      const message = other.page.locator('.message', { hasText: 'The robot cannot be shown' });
      await message.waitFor({ timeout: 60_000 });
      expect(await message.textContent()).toMatch(/teapot|type|XML/i);
    } finally {
      await other.page.close();
      await own.close();
    }
  });

  it.each([
    [1280, 'light'],
    [400, 'light'],
    [400, 'dark'],
  ] as const)(
    'fits into %i px, %s, with nothing cut off at the side',
    async (width, colorScheme) => {
      const other = await visit(browser, watching.url, { width, colorScheme });
      await onStage(other.page);
      const wide = await ask<number>('document.documentElement.scrollWidth', other.page);
      expect(wide).toBeLessThanOrEqual(width);
      await other.page.close();
    },
  );

  it('is worked by keys alone: run, recording, play, time and speed are reached by Tab', async () => {
    const reached: string[] = [];
    await page.locator('.skip').focus();
    for (let presses = 0; presses < 30; presses += 1) {
      await page.keyboard.press('Tab');
      reached.push(
        await ask<string>(
          'document.activeElement.className + " " + (document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent)',
        ),
      );
    }
    for (const wanted of [
      'Search runs',
      'HalfCheetah-v5',
      'Recorded episode',
      'Play',
      'Time in the episode',
      'Speed',
    ]) {
      expect([wanted, reached.some((name) => name.includes(wanted))]).toEqual([wanted, true]);
    }
  });

  it('says what to do without the token', async () => {
    const other = await visit(browser, watching.url.replace(/#.*/, ''));
    await other.page
      .locator('.contact', { hasText: 'open the address that watch printed' })
      .waitFor();
    await other.page.close();
  });

  it('complained of nothing, and asked nothing of any other place', () => {
    expect([complaints, foreign]).toEqual([[], []]);
  });
});

inBrowser('without a server', () => {
  /** A web host that knows nothing of us. */
  function host(root: string): Promise<Server> {
    const types: Record<string, string> = {
      html: 'text/html',
      js: 'text/javascript',
      css: 'text/css',
      wasm: 'application/wasm',
    };
    const server = createServer(({ url = '/' }, response) => {
      const name = url === '/' ? 'index.html' : url.slice(1);
      try {
        const body = readFileSync(join(root, name));
        response.setHeader('Content-Type', types[name.split('.').at(-1) ?? ''] ?? 'text/plain');
        response.end(body);
      } catch {
        response.writeHead(404).end();
      }
    });
    return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
  }

  it(
    'a folder on any web host shows curves and robot',
    async () => {
      const out = join(folder, 'site');
      await writeSite(runDir, { out, single: false, force: false });
      const server = await host(out);
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const other = await visit(browser, url);
      try {
        await onStage(other.page);
        expect((await centre(0, other.page)).count).toBeGreaterThan(300);
        expect(await ask('virelWatch.evaluations().step', other.page)).toEqual([
          100, 200, 300, 400, 500, 600,
        ]);
        expect([other.complaints, other.foreign]).toEqual([[], []]);
      } finally {
        await other.page.close();
        server.closeAllConnections();
        server.close();
      }
    },
    PATIENCE,
  );

  it(
    'one file opens from a disk, shows the same, and asks for nothing',
    async () => {
      const out = join(folder, 'single');
      const { files } = await writeSite(runDir, { out, single: true, force: false });
      expect(files.map(({ bytes }) => bytes < 6e6)).toEqual([true]);
      const requests: string[] = [];
      const other = await visit(browser, pathToFileURL(join(out, 'index.html')).href);
      other.page.on('request', (request) => requests.push(request.url()));
      await onStage(other.page);
      await ask('virelWatch.seek(10)', other.page);
      const root = await ask<number[]>('virelWatch.root()', other.page);
      const playing = await ask<string>('virelWatch.playing()', other.page);
      expect(playing).toBe('000000000601-s1');
      expect(root[0]).toBeCloseTo(stateOf(recording, 10)[0] as number, 6);
      expect([other.complaints, other.foreign, requests]).toEqual([[], [], []]);
      await other.page.close();
    },
    PATIENCE,
  );
});
