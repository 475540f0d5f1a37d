/** The config of a run, with what decided each value. */
import type { RunFacts } from '../shared/wire.js';
import { element } from './dom.js';

/** Values that a person chose come first; the rest is what the preset or the defaults say. */
const isChosen = (origin: string) => origin !== '' && !/^(default|preset)\b/.test(origin);

/** The table, folded. */
export function configTable({ config, versions }: RunFacts): HTMLElement {
  const sorted = [
    ...config.filter(([, , origin]) => isChosen(origin)),
    ...config.filter(([, , origin]) => !isChosen(origin)),
  ];
  const rows = sorted.map(([key, value, origin]) =>
    element(
      'tr',
      { 'data-chosen': String(isChosen(origin)) },
      element('th', { scope: 'row' }, key),
      element('td', {}, value),
      element('td', {}, origin),
    ),
  );
  const head = ['key', 'value', 'decided by'].map((name) => element('th', { scope: 'col' }, name));
  const made = versions.map(([name, version]) => `${name} ${version}`).join(', ');
  return element(
    'details',
    { class: 'config panel' },
    element('summary', {}, `Config and origins (${config.length} values)`),
    element('p', { class: 'about' }, made),
    element(
      'div',
      { class: 'scroll' },
      element(
        'table',
        {},
        element('thead', {}, element('tr', {}, ...head)),
        element('tbody', {}, ...rows),
      ),
    ),
  );
}
