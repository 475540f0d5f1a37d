import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { npxWarning } from '../../src/cli/npx.js';

const npx = {
  env: { npm_command: 'exec' },
  isTerminal: false,
  program: '/opt/my tools/virel-native.js',
  words: ['train', '--set', 'env.id=Hopper-v5', '--run-dir', "it's $HOME;`ls`"],
};

describe('NPX_SIGNALS', () => {
  it('is for npx without a terminal alone', () => {
    expect(npxWarning(npx)).toContain('warning NPX_SIGNALS');
    expect(npxWarning({ ...npx, isTerminal: true })).toBeUndefined();
    expect(npxWarning({ ...npx, env: {} })).toBeUndefined();
    expect(npxWarning({ ...npx, env: { npm_command: 'run-script' } })).toBeUndefined();
  });

  it('names a command that a shell reads as the same words', () => {
    const command = npxWarning(npx)?.split('run: node ')[1];
    const read = execFileSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' });
    expect(read.trimEnd().split('\n')).toEqual([npx.program, ...npx.words]);
  });
});
