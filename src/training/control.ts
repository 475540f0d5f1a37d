/** What callers of `train` and `resume` hand over beside options of the run, checked before anything is begun. */
import { show } from '../config/show.js';
import { VirelError } from '../errors.js';
import {
  argumentType,
  checkSignal,
  fields,
  list,
  textOrNothing,
  wholeOrNothing,
  yesOrNo,
} from '../native/boundary.js';
import type { ResumeControl, TrainControl } from './handle.js';

/** @throws VirelError `ARGUMENT_TYPE`, naming the field. */
export function checkControl(control: TrainControl): void {
  const { signal, argv, setup, inProcess, createSession, nativeFacts } = fields('control', control);
  checkSignal(signal);
  for (const word of list('argv', argv ?? [])) textOrNothing('argv', word);
  yesOrNo('setup', setup);
  yesOrNo('inProcess', inProcess);
  for (const [name, value] of Object.entries({ createSession, nativeFacts }))
    if (value !== undefined && typeof value !== 'function')
      throw argumentType(name, 'a function', value);
}

/** @throws VirelError `ARGUMENT_TYPE`, naming the field. */
export function checkResumeControl(control: ResumeControl): void {
  checkControl(control);
  wholeOrNothing('step', control.step);
  yesOrNo('discardNewer', control.discardNewer);
  yesOrNo('allowInexact', control.allowInexact);
  for (const layer of list('layers', control.layers ?? [])) fields('layers', layer);
}

/** The name of a folder. @throws VirelError `CONFIG_TYPE`, `CONFIG_RANGE`. */
export function checkFolder(name: string, value: unknown): void {
  if (value === undefined) return;
  // no path of any system holds a zero character
  if (typeof value === 'string' && value !== '' && !value.includes('\0')) return;
  const expected = "a folder's path";
  const code = typeof value === 'string' ? 'CONFIG_RANGE' : 'CONFIG_TYPE';
  throw new VirelError(code, `${name}: expected ${expected}, got ${show(value)}`, {
    where: `option ${name}`,
    expected,
    got: show(value),
    fix: `leave ${name} out`,
  });
}
