/** docs/guide/sweep.md as a reader takes it: its files and its commands. */
import { readFileSync } from 'node:fs';

/** The page. */
export const sweepPage = readFileSync(
  new URL('../../docs/guide/sweep.md', import.meta.url),
  'utf8',
);

/** Its sweep files by name; what the reader waits for in seconds, a test does not have to. */
export const sweepFiles: readonly (readonly [name: string, text: string])[] = [
  ...sweepPage.matchAll(/^```yaml\n# (\w+\.yaml)\n(.*?)^```$/gms),
].map(([, name = '', text = '']) => [name, text.replace('steps: 3000', 'steps: 300')]);

/** The words of each command of ours in a part of the page. */
export const commandsOf = (part: string): string[][] =>
  [...part.matchAll(/^npx virel-native (.*)$/gm)].map(([, line = '']) => line.split(' '));
