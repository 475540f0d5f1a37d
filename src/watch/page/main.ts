/** The page of `watch`: list of runs, curves, the robot. */
import './page.css';
import { METRICS } from '../../logging/metrics.js';
import { addColumns, type Columns, noColumns } from '../shared/columns.js';
import { decodeRecording } from '../shared/recording.js';
import type { RecordingEntry, RunEntry, RunFacts, RunList, RunUpdate } from '../shared/wire.js';
import { configTable } from './config-table.js';
import { type ChartChoice, makeChart } from './curves.js';
import { element, grouped } from './dom.js';
import { makePlayer, type StageOrNone } from './player.js';
import { loadRobot, type Robot } from './robot.js';
import { badge, makeList, standing } from './run-list.js';
import { type Contact, contactAfter, openSource } from './source.js';
import { makeStage } from './stage.js';

/** Milliseconds between looks at the list. */
const LIST_PACE = 5000;
/** Milliseconds until what could not be played is tried again: at first, and at most. */
const PLAY_AGAIN = { first: 2000, most: 60_000 };

const RETURNS: ChartChoice = {
  title: 'Evaluation return',
  about: 'mean of the episodes; band: smallest to largest',
  column: 'mean',
  band: ['min', 'max'],
  colour: '--blue',
};
const TRAINING: ChartChoice = {
  title: 'Training return',
  about: 'last episode, exploration included',
  column: 'charts/episodic_return',
  colour: '--sky',
};
const LEARNING: readonly ChartChoice[] = [
  {
    title: 'Residual error',
    about: 'of the critic, as measured',
    column: 'virel/residual_error_raw',
    orders: true,
    colour: '--orange',
  },
  {
    title: 'Temperature',
    about: 'of the Boltzmann policy',
    column: 'virel/temperature',
    orders: true,
    colour: '--purple',
  },
  { title: 'Policy entropy', about: 'nats', column: 'policy/entropy', colour: '--green' },
];
const FIRST_PICK = 'losses/qf1_values';
/** Formula and unit of a metric, as docs/metrics.md has them. */
function aboutMetric(name: string): string {
  const metric = METRICS.find((each) => each.name === name);
  return metric === undefined ? '' : `${metric.formula} (${metric.unit})`;
}
const picked = (column: string): ChartChoice => ({
  title: column,
  about: aboutMetric(column),
  column,
  orders: /residual|temperature|alpha/.test(column),
  colour: '--red',
});

const source = openSource();

/** The stage, or why there is none. */
function openStage(): { stage: StageOrNone; problem: string } {
  try {
    return { stage: makeStage('The robot, as it was recorded'), problem: '' };
  } catch {
    return { stage: undefined, problem: 'This browser has no WebGL: the robot cannot be drawn.' };
  }
}
const { stage, problem } = openStage();
const player = makePlayer(stage);
const pick = element('select', { 'aria-label': 'Another metric' });
pick.addEventListener('change', () => charts.picked.choose(picked(pick.value)));
const charts = {
  returns: makeChart(RETURNS),
  training: makeChart(TRAINING),
  learning: LEARNING.map((choice) => makeChart(choice)),
  picked: makeChart(picked(FIRST_PICK), pick),
};

/** The run that is shown. */
interface Shown {
  readonly id: string;
  metrics: Columns;
  evaluations: Columns;
  damaged: number;
  entry: RunEntry | undefined;
  facts: RunFacts | undefined;
  /** Whether its facts are on their way. */
  asking: boolean;
  recordings: readonly RecordingEntry[];
  note: string;
  /** The recording on the stage, whether somebody chose it, and its robot. */
  playing: string | undefined;
  chosen: boolean;
  /** The recording that could not be had and is tried again, when, and after which pause. */
  again: { readonly id: string; readonly timer: number; readonly pause: number } | undefined;
  robot: Robot | undefined;
  /** The robot on its way here, for every recording that waits for it. */
  loading: Promise<Robot> | undefined;
  stop(): void;
}
let shown: Shown | undefined;
let listed: RunList = { runs: [], total: 0, searching: true };

const heading = element('h1', {}, 'virel-native');
const state = element('div', { class: 'state' });
const progress = element('progress', { 'aria-label': 'Steps done', max: 1, value: 0 });
const notes = element('ul', { class: 'notes', 'aria-live': 'polite' });
const contact = element('p', { class: 'contact', role: 'status' });
const config = element('div');

const list = makeList({
  choose: (id) => {
    const words = new URLSearchParams(location.hash.slice(1));
    words.set('run', id);
    history.replaceState(null, '', `#${words}`);
    open(id);
    list.show(listed, id);
  },
  search: () => void refreshList('anew'),
  more: () => void refreshList('more'),
});

/** Reads the list: from its start, the next part of it, or as much of it as is shown. */
async function refreshList(part: 'anew' | 'more' | 'again'): Promise<void> {
  try {
    const { words } = list;
    const before = part === 'more' ? listed.runs : [];
    const least = part === 'again' ? listed.runs.length : 0;
    let next = await source.list(words, before.length);
    let runs = [...before, ...next.runs];
    while (runs.length < Math.min(least, next.total) && next.runs.length > 0) {
      next = await source.list(words, runs.length);
      runs = [...runs, ...next.runs];
    }
    // by now the reader searches for something else, or has asked for more
    if (words !== list.words || (part === 'again' && listed.runs.length > least)) return;
    listed = { ...next, runs };
    sayContact('list', 'open');
    if (shown === undefined) {
      const asked = new URLSearchParams(location.hash.slice(1)).get('run');
      const first = asked ?? next.first ?? next.runs[0]?.id;
      if (first !== undefined) open(first);
    }
    list.show(listed, shown?.id);
  } catch (error) {
    sayContact('list', ...contactAfter(error));
  }
}

/** What is said where the data cannot be had, for now. */
function lost(reason: string): string {
  if (!source.live) {
    const why = reason && ` (${reason})`;
    return `The data beside this page cannot be read${why}. From a disk, a browser opens only the single file: watch --static DIR --single-file.`;
  }
  if (reason) return `watch gives nothing: ${reason}. Trying again.`;
  return 'No contact with watch: it ended, or the machine sleeps. Trying again.';
}

/** What is asked for: each may fail while the others are answered. */
type Asked = 'page' | 'list' | 'facts' | 'updates';
const contacts = new Map<Asked, readonly [now: Contact, reason: string]>();

/** Says how one of the questions goes; the line stays until all of them go well. */
function sayContact(asked: Asked, now: Contact, reason = ''): void {
  contacts.set(asked, [now, reason]);
  const all = [...contacts.values()];
  const is = (wanted: Contact) => all.find(([contact]) => contact === wanted);
  const [worst, why] = is('refused') ?? is('lost') ?? ['open', ''];
  const texts = { open: '', lost: lost(why), refused: `Not allowed in: ${why}.` };
  contact.textContent = texts[worst];
  contact.hidden = worst === 'open';
}

/** Asks what a run is, until it is known. */
function askFacts(run: Shown): void {
  if (run.facts !== undefined || run.asking) return;
  run.asking = true;
  source.facts(run.id).then(
    (facts) => {
      if (shown !== run) return;
      run.facts = facts;
      sayContact('facts', 'open');
      config.replaceChildren(configTable(facts));
      describe(run);
    },
    (error: unknown) => {
      run.asking = false;
      if (shown === run) sayContact('facts', ...contactAfter(error));
    },
  );
}

/** Shows a run from its start. */
function open(id: string): void {
  shown?.stop();
  player.clear();
  shown?.robot?.dispose();
  const run: Shown = {
    id,
    metrics: noColumns(),
    evaluations: noColumns(),
    damaged: 0,
    entry: undefined,
    facts: undefined,
    asking: false,
    recordings: [],
    note: '',
    playing: undefined,
    chosen: false,
    again: undefined,
    robot: undefined,
    loading: undefined,
    stop: () => {},
  };
  shown = run;
  player.say('Looking for a recording…');
  // what was said of the run before
  sayContact('facts', 'open');
  sayContact('updates', 'open');
  askFacts(run);
  const tell = (update: RunUpdate) => shown === run && take(run, update);
  run.stop = source.follow(id, tell, (now, reason) => {
    if (shown !== run) return;
    sayContact('updates', now, reason);
  });
}

function take(run: Shown, update: RunUpdate): void {
  if (update.reset) {
    run.metrics = noColumns();
    run.evaluations = noColumns();
    run.damaged = 0;
  }
  if (update.metrics) addColumns(run.metrics, update.metrics);
  if (update.evaluations) addColumns(run.evaluations, update.evaluations);
  run.damaged += update.damaged ?? 0;
  if (update.entry) run.entry = update.entry;
  if (update.note !== undefined) run.note = update.note;
  if (update.reset || update.metrics || update.evaluations) drawCurves(run);
  if (update.recordings) {
    run.recordings = update.recordings;
    const wanted = run.playing ?? (run.chosen ? run.again?.id : undefined);
    const stays = run.recordings.some(({ id }) => id === wanted);
    if (!stays) playNewest(run);
    offer(run);
  }
  describe(run);
}

/** Lets a recording be chosen; a choice stays. */
function offer(run: Shown): void {
  player.offer(run.recordings, run.playing ?? run.again?.id, (id) => {
    run.chosen = true;
    void playRecording(run, id);
  });
}

/** Plays the newest recording, unless it is being played or another was chosen. */
function playNewest(run: Shown): void {
  const newest = run.recordings.at(-1)?.id;
  if (newest === undefined || newest === run.playing) return;
  run.chosen = false;
  void playRecording(run, newest);
  offer(run);
}
player.over = () => {
  if (shown !== undefined && !shown.chosen) playNewest(shown);
};

function drawCurves({ metrics, evaluations }: Shown): void {
  charts.returns.draw(evaluations);
  charts.training.draw(metrics);
  for (const chart of charts.learning) chart.draw(metrics);
  const names = Object.keys(metrics.m).sort();
  if (names.length !== pick.options.length) {
    const now = pick.value || FIRST_PICK;
    pick.replaceChildren(
      ...names.map((name) => element('option', { selected: name === now }, name)),
    );
    if (pick.value !== '') charts.picked.choose(picked(pick.value));
  }
  charts.picked.draw(metrics);
}

/** Heading, state, and what a person should know. */
function describe(run: Shown): void {
  const entry = run.entry ?? run.facts?.entry;
  if (entry === undefined) return;
  const seed = entry.seed === null ? '' : `, seed ${entry.seed}`;
  heading.textContent = `${entry.env || entry.name}`;
  document.title = `${entry.env || entry.name}, ${entry.algorithm}: virel-native`;
  const steps = run.facts?.steps ?? null;
  const [step, of] = [entry.step ?? 0, steps === null ? '' : ` of ${grouped(steps)}`];
  state.replaceChildren(
    badge(entry),
    element('span', {}, `${entry.algorithm}${seed}`),
    element('span', {}, `step ${grouped(step)}${of}`),
    entry.score === null ? '' : element('span', {}, standing(entry).replace(/^.*, /, '')),
  );
  progress.value = steps ? Math.min(1, step / steps) : 0;
  progress.hidden = !steps;
  const lines = [
    ...(run.facts?.problems ?? []),
    ...(run.damaged > 0 ? [`${run.damaged} damaged lines of its logs are left out.`] : []),
    ...(run.note ? [run.note] : []),
  ];
  notes.replaceChildren(...lines.map((line) => element('li', {}, line)));
  if (run.recordings.length > 0) return;
  if (problem !== '') player.say(problem);
  else if (run.note !== '')
    player.say(`${run.note} npx virel-native eval RUN --record 1 makes one.`);
  else
    player.say(
      'No episode of this run is recorded. npx virel-native eval RUN --record 1 makes one.',
    );
}

/** The robot of a run, loaded once, however many recordings wait for it; where that failed, again. */
function robotOf(run: Shown): Promise<Robot> {
  run.loading ??= loadRobotOf(run).catch((error: unknown) => {
    run.loading = undefined;
    throw error;
  });
  return run.loading;
}

async function loadRobotOf(run: Shown): Promise<Robot> {
  const [xml, assets] = await Promise.all([source.model(run.id), source.assets(run.id)]);
  if (xml === undefined) throw new Error('the run holds no model.xml');
  const robot = await loadRobot({ xml, assets }, () => source.wasm());
  // who leaves a run disposes of the robot that is there: this one came too late for that
  if (shown !== run) {
    robot.dispose();
    throw new Error('another run is shown');
  }
  run.robot = robot;
  return robot;
}

/** Tries a recording again after a pause, unless another is played by then. What stands beside the page only a new load changes. */
function playLater(run: Shown, id: string, last: number | undefined): void {
  if (!source.live) return;
  const pause = last === undefined ? PLAY_AGAIN.first : Math.min(2 * last, PLAY_AGAIN.most);
  const timer = window.setTimeout(() => {
    if (shown === run) void playRecording(run, id);
  }, pause);
  run.again = { id, timer, pause };
}

async function playRecording(run: Shown, id: string): Promise<void> {
  window.clearTimeout(run.again?.timer);
  const pause = run.again?.id === id ? run.again.pause : undefined;
  run.again = undefined;
  run.playing = id;
  if (stage === undefined) return player.say(problem);
  player.say('Loading MuJoCo…');
  try {
    const [bytes, robot] = await Promise.all([source.recording(run.id, id), robotOf(run)]);
    if (shown !== run || run.playing !== id) return;
    const recording = decodeRecording(bytes);
    if (typeof recording === 'string')
      return player.say(`The recording cannot be shown: ${recording}.`);
    if (recording.header.nq !== robot.nq) {
      const { nq } = recording.header;
      return player.say(
        `The recording has ${nq} positions a state, the model ${robot.nq}: they do not belong together.`,
      );
    }
    player.say('');
    player.play(recording, robot);
  } catch (error) {
    if (shown !== run || run.playing !== id) return;
    run.playing = undefined;
    playLater(run, id, pause);
    player.say(`The robot cannot be shown: ${(error as Error).message}`);
  }
}

const page = document.getElementById('page') as HTMLElement;
page.append(
  element('a', { class: 'skip', href: '#run' }, 'To the run'),
  element(
    'nav',
    { 'aria-label': 'Runs' },
    element('p', { class: 'brand' }, 'virel-native'),
    list.root,
  ),
  element(
    'main',
    { id: 'run' },
    element('header', {}, heading, state, progress, contact, notes),
    element(
      'div',
      { class: 'top' },
      player.root,
      element('div', { class: 'returns' }, charts.returns.root, charts.training.root),
    ),
    element('h2', { class: 'section' }, 'Learning'),
    element(
      'div',
      { class: 'grid' },
      ...charts.learning.map(({ root }) => root),
      charts.picked.root,
    ),
    config,
    element('footer', {}, ''),
  ),
);
// a link to a place in the page would take the token's place
page.querySelector('.skip')?.addEventListener('click', (event) => {
  event.preventDefault();
  const main = document.getElementById('run');
  main?.setAttribute('tabindex', '-1');
  main?.focus();
});
contact.hidden = true;
source.taken().then(
  (taken) => {
    if (taken === undefined) return;
    (page.querySelector('footer') as HTMLElement).textContent =
      `As it was at ${taken.replace('T', ' ').slice(0, 16)} UTC. Made by virel-native watch --static.`;
    page.dataset['single'] = 'true';
  },
  (error: unknown) => sayContact('page', ...contactAfter(error)),
);
void refreshList('anew');
if (source.live) {
  setInterval(() => {
    if (document.hidden) return;
    void refreshList('again');
    // until they are there
    if (shown !== undefined) askFacts(shown);
  }, LIST_PACE);
}

/** What the page shows, for the console and for tests. */
Object.assign(globalThis, {
  virelWatch: {
    seek: (frame: number) => player.seek(frame),
    frame: () => player.frame,
    follow: (on: boolean) => stage && Object.assign(stage, { follow: on }),
    parts: () => shown?.robot?.parts,
    drawn: (geom: number) => stage?.drawn(geom),
    root: () => shown?.robot?.root(),
    metrics: () => shown?.metrics,
    evaluations: () => shown?.evaluations,
    playing: () => shown?.playing,
  },
});
