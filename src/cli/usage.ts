/** What is wrong with a command line, with the verb or flag that was probably meant. */
import { nearest } from '../config/nearest.js';
import { VirelError } from '../errors.js';

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** A command line, and what it could have said. */
export interface Usage {
  readonly words: readonly string[];
  readonly verb: string | undefined;
  readonly verbs: readonly string[];
  /** Of the verb, in kebab case. */
  readonly flags: readonly string[];
}

function refuse(message: string, got: string, fix: string): VirelError {
  return new VirelError('CLI_USAGE', message, { where: 'command line', got, fix });
}

/** The parser's complaint as one of our errors. */
export function usageError(message: string, usage: Usage): VirelError {
  const { words, verbs, flags } = usage;
  const verb = verbs.find((each) => each === usage.verb);
  const help = `npx virel-native ${verb === undefined ? '' : `${verb} `}--help`;
  const unknown = /^Unknown (?:argument|command)s?: (.*)$/m.exec(message)?.[1]?.split(', ')[0];
  if (unknown === undefined) {
    const text = message.split('\n')[0] ?? message;
    return new VirelError('CLI_USAGE', text, { where: 'command line', fix: help });
  }
  const dashed = words.find(
    (word) => /^--?/.test(word) && word.replace(/^--?|=.*$/g, '') === unknown,
  );
  if (dashed !== undefined) {
    const near = nearest(kebab(unknown), flags);
    const fix = near === undefined ? help : `did you mean --${near}?`;
    return refuse(
      `${verb ?? 'virel-native'}: no option ${dashed.replace(/=.*$/, '')}`,
      unknown,
      fix,
    );
  }
  if (verb !== undefined) return refuse(`${verb}: unexpected word ${unknown}`, unknown, help);
  const near = nearest(unknown, verbs);
  const fix = near === undefined ? help : `did you mean npx virel-native ${near}?`;
  return refuse(`no verb ${unknown}`, unknown, fix);
}
