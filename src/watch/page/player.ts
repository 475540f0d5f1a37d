/** Plays a recording: time, speed, rewards and actions under the robot. */
import type { Recording } from '../shared/recording.js';
import type { RecordingEntry } from '../shared/wire.js';
import { brief, button, element, grouped, onScheme, styleValue } from './dom.js';
import type { Robot } from './robot.js';
import type { Stage } from './stage.js';
import { saveVideo } from './video.js';

const SPEEDS = ['0.1', '0.25', '0.5', '1', '2', '4'];

/** A player in the page. */
export interface Player {
  readonly root: HTMLElement;
  /** Says why there is nothing to see. */
  say(text: string): void;
  /** What can be chosen, and what is being played. */
  offer(
    entries: readonly RecordingEntry[],
    playing: string | undefined,
    choose: (id: string) => void,
  ): void;
  /** Called when an episode is over, before it begins anew. */
  over: () => void;
  /** Shows a recording from its start. */
  play(recording: Recording, robot: Robot): void;
  /** Shows one state and stays there. */
  seek(frame: number): void;
  readonly frame: number;
  /** Shows nothing any longer; what was shown may be disposed of then. */
  clear(): void;
}

/** Where the robot is to be drawn; undefined where the browser cannot. */
export type StageOrNone = Stage | undefined;

/** States of a window of the traces: what is left of and right of now, as far as a reader can follow. */
const WINDOW = 80;

/** A line of numbers through a part of a canvas. */
interface Trace {
  value(index: number): number;
  readonly range: readonly [low: number, high: number];
  /** Heights between which it is drawn, as shares of the canvas. */
  readonly between: readonly [top: number, bottom: number];
  readonly colour: string;
}

function drawTrace(
  context: CanvasRenderingContext2D,
  [from, to]: readonly [number, number],
  { value, range: [low, high], between: [top, bottom], colour }: Trace,
): void {
  const { width, height } = context.canvas;
  context.strokeStyle = colour;
  context.lineWidth = Math.max(1, height / 60);
  context.beginPath();
  for (let index = from; index <= to; index += 1) {
    const x = ((index - from) / Math.max(1, to - from)) * width;
    const share = (value(index) - low) / (high - low || 1);
    const y = height * (bottom - share * (bottom - top));
    if (index === from) context.moveTo(x, y);
    else context.lineTo(x, y);
  }
  context.stroke();
}

/** Colours of the parts of an action, by turns. */
const ACTIONS = ['--blue', '--orange', '--green', '--purple', '--sky', '--red'];

/** Reward above, the parts of the action below. */
function tracesOf({ header: { nu }, action, reward }: Recording): Trace[] {
  const low = reward.reduce((least, value) => Math.min(least, value), 0);
  const high = reward.reduce((most, value) => Math.max(most, value), 0);
  const widest = action.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
  const parts = Array.from(
    { length: nu },
    (_, part): Trace => ({
      value: (index) => action[index * nu + part] ?? 0,
      range: [-widest, widest],
      between: [0.5, 0.97],
      colour: styleValue(ACTIONS[part % ACTIONS.length] as string),
    }),
  );
  const rewards: Trace = {
    value: (index) => reward[index] ?? 0,
    range: [low, high],
    between: [0.06, 0.42],
    colour: styleValue('--ink'),
  };
  return [...parts, rewards];
}

/** The states that are drawn while one is shown: it stands in the middle, except near both ends. */
function windowAround(frame: number, frames: number): readonly [number, number] {
  const last = frames - 1;
  const from = Math.max(0, Math.min(last - WINDOW, frame - WINDOW / 2));
  return [from, Math.min(last, from + WINDOW)];
}

function drawTraces(
  canvas: HTMLCanvasElement,
  traces: readonly Trace[],
  window: readonly [number, number],
): void {
  const scale = Math.min(devicePixelRatio, 2);
  const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((size) =>
    Math.max(1, Math.round(size * scale)),
  ) as [number, number];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.clearRect(0, 0, width, height);
  for (const trace of traces) drawTrace(context, window, trace);
}

const labelOf = ({ step, return: total, steps, cut }: RecordingEntry) =>
  `step ${grouped(step)}, return ${brief(total)}${cut ? `, cut short after ${grouped(steps)} steps` : ''}`;

/** Makes the player. */
export function makePlayer(stage: StageOrNone): Player {
  let shown: { recording: Recording; robot: Robot } | undefined;
  let lines: Trace[] = [];
  let loop = 0;
  let frame = 0;
  let playing = false;
  let began = { at: 0, frame: 0 };

  const message = element('p', { class: 'message', role: 'status' }, 'Looking for a recording…');
  const time = element('output', { class: 'time' }, '0.00 s');
  const slider = element('input', {
    type: 'range',
    min: 0,
    max: 0,
    value: 0,
    'aria-label': 'Time in the episode',
  });
  const traces = element('canvas', {
    class: 'traces',
    role: 'img',
    'aria-label': 'Reward and actions of the episode',
  });
  const marker = element('div', { class: 'marker' });
  const select = element('select', { 'aria-label': 'Recorded episode' });
  const speed = element('select', { 'aria-label': 'Speed' });
  speed.append(
    ...SPEEDS.map((value) => element('option', { value, selected: value === '1' }, `${value}×`)),
  );
  const toggle = button('Play', { class: 'play', 'aria-label': 'Play' }, () =>
    setPlaying(!playing),
  );
  const follow = element('input', { type: 'checkbox', checked: true });
  const [rewardNow, actionNow] = [element('span'), element('span')];
  const said = element(
    'p',
    { class: 'reading' },
    element('span', {}, element('i', { class: 'key' }), rewardNow),
    element('span', {}, element('i', { class: 'key action' }), actionNow),
  );

  const setPlaying = (on: boolean) => {
    playing = on && shown !== undefined;
    toggle.textContent = playing ? 'Pause' : 'Play';
    toggle.setAttribute('aria-label', playing ? 'Pause' : 'Play');
    if (playing && shown && frame >= shown.recording.frames - 1) frame = 0;
    began = { at: performance.now(), frame };
    // one loop, whether or not one was at work
    cancelAnimationFrame(loop);
    if (playing) loop = requestAnimationFrame(tick);
  };

  const show = (to: number) => {
    if (shown === undefined) return;
    const { recording, robot } = shown;
    const { header, frames, qpos, reward, action } = recording;
    frame = Math.max(0, Math.min(frames - 1, Math.round(to)));
    robot.pose(qpos.subarray(frame * header.nq, (frame + 1) * header.nq));
    stage?.draw();
    slider.value = String(frame);
    const seconds = (frame * header.dt).toFixed(2);
    time.textContent = `${seconds} / ${((frames - 1) * header.dt).toFixed(2)} s`;
    slider.setAttribute('aria-valuetext', `${seconds} seconds`);
    const window = windowAround(frame, frames);
    drawTraces(traces, lines, window);
    marker.style.left = `${(100 * (frame - window[0])) / Math.max(1, window[1] - window[0])}%`;
    const actions = [...action.subarray(frame * header.nu, (frame + 1) * header.nu)];
    rewardNow.textContent = `reward ${(reward[frame] ?? 0).toFixed(3)}`;
    actionNow.textContent = `action ${actions.map((value) => value.toFixed(2)).join(' ')}`;
  };

  const tick = (now: number) => {
    if (!playing || shown === undefined) return;
    const { frames, header } = shown.recording;
    const passed = ((now - began.at) / 1000) * Number(speed.value);
    const to = began.frame + Math.floor(passed / header.dt);
    if (to >= frames) {
      player.over();
      // once more from the start, of this one or of the one that it made way for
      began = { at: now, frame: 0 };
      show(0);
    } else if (to !== frame) show(to);
    loop = requestAnimationFrame(tick);
  };

  slider.addEventListener('input', () => {
    setPlaying(false);
    show(Number(slider.value));
  });
  speed.addEventListener('change', () => {
    began = { at: performance.now(), frame };
  });
  follow.addEventListener('change', () => {
    if (stage === undefined) return;
    stage.follow = follow.checked;
    stage.draw();
  });
  stage?.canvas.addEventListener('keydown', (event) => {
    if (event.key !== ' ') return;
    event.preventDefault();
    setPlaying(!playing);
  });
  new ResizeObserver(() => show(frame)).observe(traces);
  onScheme(() => {
    if (shown) lines = tracesOf(shown.recording);
    show(frame);
  });

  const video = button('Save video', { class: 'quiet' }, () => {
    if (stage === undefined || shown === undefined) return;
    const { frames, header } = shown.recording;
    const name = `${header.env}-${header.algorithm}-${header.step}.webm`;
    speed.value = '1';
    show(0);
    setPlaying(true);
    video.disabled = true;
    video.textContent = 'Recording…';
    void saveVideo(stage.canvas, frames * header.dt, name).finally(() => {
      video.disabled = false;
      video.textContent = 'Save video';
    });
  });
  const controls = element(
    'div',
    { class: 'controls' },
    toggle,
    slider,
    time,
    speed,
    element('label', { class: 'check' }, follow, 'Follow'),
  );
  const strip = element('div', { class: 'strip' }, traces, marker);
  const view = element('div', { class: 'view' }, stage?.canvas, message);
  const head = element(
    'div',
    { class: 'player-head' },
    element('h2', {}, 'The robot'),
    element('div', {}, 'MediaRecorder' in globalThis ? video : undefined, select),
  );
  const root = element(
    'section',
    { class: 'player panel', 'data-empty': 'true' },
    head,
    view,
    controls,
    strip,
    said,
  );

  const player: Player = {
    root,
    say: (text) => {
      message.textContent = text;
      message.hidden = text === '';
    },
    offer: (entries, playing, choose) => {
      select.replaceChildren(
        ...[...entries]
          .reverse()
          .map((entry) => element('option', { value: entry.id }, labelOf(entry))),
      );
      select.hidden = entries.length === 0;
      if (playing !== undefined) select.value = playing;
      select.onchange = () => choose(select.value);
    },
    over: () => {},
    play: (recording, robot) => {
      shown = { recording, robot };
      root.dataset['empty'] = 'false';
      slider.max = String(recording.frames - 1);
      frame = 0;
      robot.pose(recording.qpos.subarray(0, recording.header.nq));
      stage?.show(robot);
      lines = tracesOf(recording);
      show(0);
      setPlaying(!matchMedia('(prefers-reduced-motion: reduce)').matches);
    },
    seek: (to) => {
      setPlaying(false);
      show(to);
    },
    get frame() {
      return frame;
    },
    clear: () => {
      setPlaying(false);
      shown = undefined;
      stage?.clear();
      root.dataset['empty'] = 'true';
    },
  };
  return player;
}
