// What the scripts share: running a command in plain sight, and adding up what it reports.
import { spawn } from 'node:child_process';

/** Runs a command with its output shown as it comes; gives its status and its standard output. */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], ...options });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
      process.stdout.write(text);
    });
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve({ status: 127, stdout });
    });
    child.on('close', (status) => resolve({ status: status ?? 1, stdout }));
  });
}

/** Counts of one test step; a step that failed without a failed test (it did not compile, it crashed) is one. */
export function counted(status, passed, failed) {
  return { passed, failed: status !== 0 && failed === 0 ? 1 : failed };
}

/** Adds up the result lines of `cargo test`: one per test binary and one per crate's documentation. */
export function cargoCounts(status, stdout) {
  const lines = [
    ...stdout.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm),
  ];
  const sum = (column) => lines.reduce((total, line) => total + Number(line[column]), 0);
  const skipped = [...stdout.matchAll(/^test (\S+) .*\.\.\. (ignored.*)$/gm)].map(
    ([, name, reason]) => `cargo: ${name}: ${reason}`,
  );
  return { ...counted(status, sum(1), sum(2)), skipped };
}

/** Adds up jest's JSON report; a file that does not load counts as a failure. */
export function jestCounts(status, report) {
  if (report === undefined) return { ...counted(status || 1, 0, 0), skipped: [] };
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  const skipped = report.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter((test) => test.status === 'pending' || test.status === 'todo')
    .map((test) => `jest: ${test.fullName}: ${test.status}`);
  return { ...counted(status, report.numPassedTests, failed), skipped };
}

/** The counts on the last line `N passed, N failed` of an output. */
export function lastCounts(status, stdout) {
  const last = [...stdout.matchAll(/^(\d+) passed, (\d+) failed$/gm)].at(-1);
  return counted(status, Number(last?.[1] ?? 0), Number(last?.[2] ?? 0));
}

/** The tests that an output of {@link conclude} names as skipped, with their reasons. */
export function skippedIn(stdout) {
  const lists = [...stdout.matchAll(/^\d+ skipped:\n((?: {2}\S.*\n)+)/gm)];
  return lists.flatMap(([, list]) =>
    list
      .trimEnd()
      .split('\n')
      .map((line) => line.trim()),
  );
}

/** Prints the sum as the last line and sets the exit status. */
export function conclude(results) {
  const skipped = results.flatMap((result) => result.skipped ?? []);
  if (skipped.length > 0) console.log(`\n${skipped.length} skipped:\n  ${skipped.join('\n  ')}`);
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
  process.exitCode = sum('failed') > 0 ? 1 : 0;
}
