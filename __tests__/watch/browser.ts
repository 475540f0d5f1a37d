/** Debian's Chromium, without a window; where there is none the tests that need it are skipped, and say so. */
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

const CANDIDATES = [
  process.env['VIREL_CHROMIUM'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

/** The browser's program; undefined where there is none. */
export const chromiumPath = CANDIDATES.find((path) => path !== '' && existsSync(path));
if (chromiumPath === undefined) {
  console.warn('no chromium: the page of watch is not tested (apt-get install -y chromium)');
}

/** Starts it; WebGL is computed on the processor. */
export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: chromiumPath ?? '',
    args: ['--no-sandbox', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  });

/** What a page complained of, and what it asked for elsewhere. */
export interface Watched {
  readonly page: Page;
  readonly complaints: string[];
  readonly foreign: string[];
}

/** How a page is looked at. */
interface Look {
  readonly width?: number;
  readonly colorScheme?: 'light' | 'dark';
}

/** Milliseconds until a page is given up: playwright's 30 s are too few where WebGL is computed beside other tests. */
const PATIENCE = 120_000;

/** A page that is to go to an address. */
export async function newPage(browser: Browser, url: string, look: Look = {}): Promise<Watched> {
  const page = await browser.newPage({
    viewport: { width: look.width ?? 1280, height: 900 },
    colorScheme: look.colorScheme ?? 'light',
    // nothing plays by itself, so that a test decides which state is shown
    reducedMotion: 'reduce',
  });
  page.setDefaultTimeout(PATIENCE);
  const [complaints, foreign]: [string[], string[]] = [[], []];
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('console', (said) => {
    if (said.type() === 'error') complaints.push(`${said.text()} ${said.location().url}`);
  });
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    const local = protocol === 'data:' || protocol === 'blob:' || protocol === 'file:';
    if (!local && origin !== new URL(url).origin) foreign.push(request.url());
  });
  return { page, complaints, foreign };
}

/** Opens an address. */
export async function visit(browser: Browser, url: string, look: Look = {}): Promise<Watched> {
  const watched = await newPage(browser, url, look);
  await watched.page.goto(url);
  return watched;
}

/** Waits until an expression is true in the page; playwright's own way is `eval`, which the page forbids. */
export async function until(page: Page, expression: string, patience = 60_000): Promise<void> {
  const end = performance.now() + patience;
  while (!(await page.evaluate(`Boolean(${expression})`))) {
    if (performance.now() > end) throw new Error(`never true in the page: ${expression}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Waits until a recording stands on the stage. */
export const onStage = (page: Page) =>
  until(
    page,
    'globalThis.virelWatch?.root() !== undefined && document.querySelector(".message").hidden',
    PATIENCE,
  );
