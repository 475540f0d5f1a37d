// Writes docs/images/sweep.png and docs/images/model-card.png: what a terminal shows of the sweep of docs/guide/sweep.md, and the
// folder of `export --format hub` as a model hub shows it. Both are of runs that are trained here and now (two minutes), so that a
// picture shows what the program does; Chromium draws them. `npm run build && node scripts/generate-share-images.mjs [sweep | card]`
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import MarkdownIt from 'markdown-it';
import { chromium } from 'playwright-core';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('..', import.meta.url));
const images = join(root, 'docs/images');
const bin = join(root, 'bin/virel-native.js');
const folder = mkdtempSync(join(tmpdir(), 'virel-images-'));
const options = { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };

/** What a command prints. */
const printed = (line) => execFileSync(process.execPath, [bin, ...line.split(' ')], options);
const markdown = new MarkdownIt();
const text = (plain) => markdown.utils.escapeHtml(plain);

const PICTURES = { sweep: drawSweep, card: drawCard };
const asked = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.VIREL_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
try {
  for (const [name, draw] of Object.entries(PICTURES))
    if (asked.length === 0 || asked.includes(name)) await draw();
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}

/** A page as a picture, as high as its content. */
async function shoot(html, [width, scale], file) {
  const path = join(folder, 'picture.html');
  writeFileSync(path, `<!doctype html><meta charset="utf-8">${html}`);
  const page = await browser.newPage({
    viewport: { width, height: 200 },
    deviceScaleFactor: scale,
  });
  await page.goto(pathToFileURL(path).href);
  await page.locator('main').screenshot({ path: join(images, file) });
  await page.close();
  console.log(`docs/images/${file}`);
}

/** The sweep of the guide: its plan, how it stands in the middle, and its end. */
async function drawSweep() {
  const [, yaml] = /^```yaml\n# sweep.yaml\n(.*?)^```$/ms.exec(
    readFileSync(join(root, 'docs/guide/sweep.md'), 'utf8'),
  );
  writeFileSync(join(folder, 'sweep.yaml'), yaml);
  const status = 'sweep sweep.yaml --status';
  const shown = [['sweep sweep.yaml --plan-only', printed('sweep sweep.yaml --plan-only')]];
  const sweep = spawn(process.execPath, [bin, 'sweep', 'sweep.yaml', '--quiet'], { cwd: folder });
  const ended = new Promise((resolve) => sweep.on('close', resolve));
  for (let seen = false; !seen; ) {
    const output = printed(status);
    seen = /^done [4-9] \| running/m.test(output);
    if (seen) shown.push([status, output]);
    if (sweep.exitCode !== null) throw new Error('the sweep ended before it was seen');
  }
  if ((await ended) !== 0) throw new Error('the sweep failed');
  shown.push([status, printed(status)]);
  const lines = shown.map(
    ([command, output]) =>
      `<b>$ npx virel-native ${text(command)}</b>\n${text(output.trimEnd())}\n`,
  );
  await shoot(
    `<style>
      body { margin: 0 }
      main { display: inline-block; background: #1b1f24; color: #d7dbe0; padding: 18px 22px; border-radius: 8px }
      pre { margin: 0; font: 13px/1.45 'DejaVu Sans Mono', monospace }
      b { color: #8fd3a6; font-weight: 400 }
    </style>
    <main><pre>${lines.join('\n')}</pre></main>`,
    [1100, 1.5],
    'sweep.png',
  );
}

/** A hub folder of two seeds, with a recorded episode: the pills of its front matter above its card. */
async function drawCard() {
  const train =
    'train --env HalfCheetah-v5 --algorithm beta --steps 20000 --seeds 0-1 --eval-every 1000 --eval-episodes 3 --threads 1 --set network.hidden=[128,128] --set optim.targetUpdateRate=0.005';
  const run = 'HalfCheetah-v5/beta/seed-0';
  printed(`${train} --quiet`);
  printed(`eval ${run} --episodes 1 --record 1`);
  printed(`export ${run} --format hub -o hub`);
  const card = readFileSync(join(folder, 'hub/README.md'), 'utf8');
  const [, front = '', body = ''] = /^---\n(.*?)^---\n(.*)$/ms.exec(card) ?? [];
  const about = parse(front);
  const pills = [about.pipeline_tag, about.library_name, ...about.tags.slice(1)];
  const [{ results }] = about['model-index'];
  const [{ dataset, metrics }] = results;
  await shoot(
    `<base href="hub/">
    <style>
      body { margin: 0 }
      main { width: 820px; padding: 28px 34px; background: #fff; color: #1f2937; font: 15px/1.55 'DejaVu Sans', sans-serif }
      .pills span { display: inline-block; margin: 0 6px 8px 0; padding: 2px 10px; border: 1px solid #d4d8de; border-radius: 12px; font-size: 12px }
      .result { border: 1px solid #d4d8de; border-radius: 8px; padding: 8px 14px; font-size: 13px; margin: 6px 0 16px }
      h1 { font-size: 25px } h2 { font-size: 19px; border-bottom: 1px solid #e5e7eb; padding-bottom: 4px }
      pre { background: #f6f8fa; padding: 10px 14px; border-radius: 6px; overflow: hidden } code { font: 12.5px/1.45 'DejaVu Sans Mono', monospace }
      table { border-collapse: collapse } th, td { border: 1px solid #d4d8de; padding: 4px 12px; text-align: left; font-size: 13.5px }
      img { max-width: 100% } a { color: #1f5fbf }
    </style>
    <main>
      <div class="pills">${pills.map((pill) => `<span>${text(pill)}</span>`).join('')}</div>
      <div class="result">Evaluation results: <b>${text(metrics[0].name)}</b> on ${text(dataset.name)}, self-reported: <b>${text(metrics[0].value)}</b></div>
      ${markdown.render(body)}
    </main>`,
    [900, 1],
    'model-card.png',
  );
}
