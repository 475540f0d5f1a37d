/** Opens an address in the user's browser without naming it on a command line, which every user of the machine can read. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { escapeHtml } from '../plots/html.js';
import { note } from './output.js';

/** A page that leads to the address at once. */
const leadTo = (url: string) => `<!doctype html>
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url=${escapeHtml(url)}">
<title>virel-native watch</title>
<a href="${escapeHtml(url)}">To the page</a>
`;

/**
 * Opens the address; where that cannot be done a note says so, and the printed address serves.
 *
 * @param url Holds the token: it stands in a file of a folder that is the user's alone.
 * @returns Removes the folder.
 */
export function openInBrowser(url: string): () => void {
  let folder: string | undefined;
  try {
    // 0700, whatever the umask
    folder = mkdtempSync(join(tmpdir(), 'virel-open-'));
    const file = join(folder, 'open.html');
    writeFileSync(file, leadTo(url), { mode: 0o600 });
    openFile(file);
  } catch (error) {
    note(`no browser is opened (${(error as Error).message}): open the address above`);
  }
  return () => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  };
}

function openFile(file: string): void {
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open';
  const child = spawn(program, [file], { stdio: 'ignore', detached: true });
  child.on('error', () => note(`no ${program} here: open the address above`));
  child.unref();
}
