import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { resolveConfig } from '../../src/config/resolve.js';
import { describeMachine, gitCommit, gitDirty } from '../../src/training/manifest.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'virel-manifest-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const git = (...words: string[]) =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@b.c', ...words], {
    encoding: 'utf8',
    stdio: 'pipe',
  }).trim();

describe('the commit of a folder', () => {
  it('is null without a repository, and in one without a commit', () => {
    expect(gitCommit(folder)).toBeNull();
    git('init', '--quiet');
    expect(gitCommit(folder)).toBeNull();
    expect(gitCommit(join(folder, 'none'))).toBeNull();
  });

  it('is that of the repository around it', () => {
    git('init', '--quiet');
    git('commit', '--quiet', '--allow-empty', '--message', 'one');
    mkdirSync(join(folder, 'below'));
    expect(gitCommit(join(folder, 'below'))).toBe(git('rev-parse', 'HEAD'));
  });

  it('comes with whether tracked files differ from it', () => {
    expect(gitDirty(folder)).toBeNull();
    git('init', '--quiet');
    writeFileSync(join(folder, 'tracked'), 'as committed');
    git('add', 'tracked');
    git('commit', '--quiet', '--message', 'one');
    writeFileSync(join(folder, 'new'), 'of no commit, and of no run');
    expect(gitDirty(folder)).toBe(false);
    writeFileSync(join(folder, 'tracked'), 'changed');
    expect(gitDirty(folder)).toBe(true);
  });
});

describe('run.json', () => {
  it('says what a run was begun with, and null where there is no native part', () => {
    const started = new Date('2026-01-02T03:04:05Z');
    const manifest = describeMachine(
      resolveConfig({ env: 'Hopper-v5', threads: 1 }),
      { argv: ['train'], started, folder },
      undefined,
    );
    expect(manifest).toMatchObject({
      format: 1,
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      created: '2026-01-02T03:04:05.000Z',
      argv: ['train'],
      versions: { node: process.versions.node, torch: null, mujoco: null },
      addon: null,
      model: null,
      machine: { threads: 1, cpu: expect.any(String) },
      git: null,
      gitDirty: null,
      history: [],
    });
  });
});
