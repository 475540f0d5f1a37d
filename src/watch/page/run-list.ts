/** The list of runs, with a search. */
import type { RunEntry, RunList } from '../shared/wire.js';
import { brief, button, element, grouped } from './dom.js';

/** A list in the page. */
export interface ListView {
  readonly root: HTMLElement;
  show(list: RunList, chosen: string | undefined): void;
  /** The words that are searched for. */
  readonly words: string;
}

/** What is said of how a run stands. */
export function standing({ state, step, score }: RunEntry): string {
  const at = step === null ? '' : ` at ${grouped(step)}`;
  return score === null ? `${state}${at}` : `${state}${at}, score ${brief(score)}`;
}

/** A mark of the state: form and colour, so that neither is needed alone. */
export const badge = ({ state }: RunEntry) =>
  element('span', { class: 'badge', 'data-state': state }, state);

function row(entry: RunEntry, chosen: boolean, choose: (id: string) => void): HTMLElement {
  const seed = entry.seed === null ? '' : ` · seed ${entry.seed}`;
  const open = element(
    'button',
    { type: 'button', 'aria-current': chosen && 'true', title: entry.name },
    element('span', { class: 'run-name' }, entry.env || entry.name),
    element('span', { class: 'run-about' }, `${entry.algorithm}${seed}`),
    element('span', { class: 'run-state', 'data-state': entry.state }, standing(entry)),
  );
  open.addEventListener('click', () => choose(entry.id));
  return element('li', {}, open);
}

/** Makes the list. @param more Asks for the next part of it. */
export function makeList(on: { choose(id: string): void; search(): void; more(): void }): ListView {
  const search = element('input', {
    type: 'search',
    placeholder: 'Search: task, algorithm, state',
    'aria-label': 'Search runs',
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  search.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(on.search, 200);
  });
  const rows = element('ol');
  const count = element('p', { class: 'count', 'aria-live': 'polite' });
  const more = button('More', { class: 'quiet', hidden: true }, on.more);
  const summary = element('summary', {}, 'Runs');
  const wide = matchMedia('(min-width: 900px)');
  const root = element('details', { class: 'runs' }, summary, search, rows, more, count);
  const fold = () => {
    root.open = wide.matches;
  };
  fold();
  wide.addEventListener('change', fold);
  return {
    root,
    show: ({ runs, total, searching }, chosen) => {
      rows.replaceChildren(...runs.map((entry) => row(entry, entry.id === chosen, on.choose)));
      const shown = total > runs.length ? `${runs.length} of ${grouped(total)}` : grouped(total);
      count.textContent = `${shown} run${total === 1 ? '' : 's'}${searching ? ', still searching…' : ''}`;
      summary.textContent = `Runs (${grouped(total)})`;
      more.hidden = runs.length >= total;
    },
    get words() {
      return search.value;
    },
  };
}
