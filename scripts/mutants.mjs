/**
 * How sharp are the tests of the theory? Every sign in src/theory is flipped and every factor γ dropped, one at a time (of the
 * claims, four in each file), and the tests are run on each such mutant: `npm run mutants`. A mutant that no test catches is named; it is excused only where it
 * computes the same as the original, with the reason in EQUIVALENT below.
 *
 *     node scripts/mutants.mjs [PART OF A FILE NAME]...
 *
 * The repository is not touched: mutants live in a copy.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const CLAIMS = 'src/theory/claims';
const ROOMS = ['src/theory', CLAIMS, `${CLAIMS}/independent`];

/** Mutants of a file of claims: these are checks themselves, and some of each show whether they can fail. */
const MOST_OF_A_CHECK = 4;

/** What is done to code: pattern and replacement, both with the same groups. */
const MUTATIONS = [
  { name: '+ to -', pattern: / \+ (?!\+)/g, replacement: ' - ' },
  { name: '- to +', pattern: / - /g, replacement: ' + ' },
  { name: '+= to -=', pattern: / \+= /g, replacement: ' -= ' },
  { name: '-= to +=', pattern: / -= /g, replacement: ' += ' },
  { name: 'minus dropped', pattern: /(?<=[(,[=>?:] ?|return )-(?=[\w(])/g, replacement: '' },
  { name: 'γ dropped', pattern: /\b(?:mdp\.|nested\.)?discount \* ?/g, replacement: '' },
  { name: 'γ dropped', pattern: / \* (?:mdp\.|nested\.)?discount\b/g, replacement: '' },
];

/** Survivors that compute what the original computes: file, the line's code, and why. */
const EQUIVALENT = [
  {
    file: 'src/theory/projected-residual.ts',
    name: '+ to -',
    code: 'for (let other = column + 1; other < rest.rows; other++) {',
    reason:
      'the elimination then also writes to columns that are done with, and are not read again',
  },
  {
    file: 'src/theory/residual.ts',
    name: '- to +',
    code: 'step = Math.min(1 - smallest, Math.max(smallest, step));',
    reason:
      'both bounds keep a step from coming to lie on an end by rounding; the next one comes back from it',
  },
  {
    file: 'src/theory/claims/claim.ts',
    name: '+ to -',
    code: 'const discount = 0.5 + 0.45 * draw();',
    reason: 'another range of discounts, in which the claims hold as well',
  },
  {
    file: 'src/theory/quadrature.ts',
    name: '+ to -',
    code: 'for (const { node, weight } of RULE) sum += weight * f(centre + half * node);',
    reason: 'the nodes lie on both sides of the centre alike, with equal weights',
  },
  {
    file: 'src/theory/examples.ts',
    name: 'minus dropped',
    code: 'const parts = Float64Array.from({ length: size }, () => -Math.log(1 - draw()));',
    reason: 'the sign goes again when the parts are divided by their sum',
  },
];

/** Code with comments and strings blanked, so that positions stay: what may be mutated. */
function codeOnly(text) {
  const blank = (match) => match.replace(/[^\n]/g, '\u0000');
  return text
    .replace(/\/\*[\s\S]*?\*\//g, blank)
    .replace(/\/\/.*$/gm, blank)
    .replace(/'(?:[^'\\\n]|\\.)*'/g, blank)
    .replace(/`(?:[^`\\]|\\.)*`/g, blank);
}

/** Every mutant of a file. */
function mutantsOf(file) {
  const text = readFileSync(join(root, file), 'utf8');
  const code = codeOnly(text);
  return MUTATIONS.flatMap(({ name, pattern, replacement }) =>
    [...code.matchAll(pattern)].map(({ index, 0: found }) => {
      const start = text.lastIndexOf('\n', index) + 1;
      const end = text.indexOf('\n', index);
      return {
        file,
        name,
        line: text.slice(0, index).split('\n').length,
        code: text.slice(start, end).trim(),
        text: text.slice(0, index) + replacement + text.slice(index + found.length),
      };
    }),
  );
}

/** So many of a list, evenly spread. */
const some = (list, most) =>
  list.length <= most
    ? list
    : Array.from({ length: most }, (_, index) => list[Math.floor((index * list.length) / most)]);

/** The mutants of a file that are tried. */
const triedOf = (file) =>
  dirname(file) === CLAIMS ? some(mutantsOf(file), MOST_OF_A_CHECK) : mutantsOf(file);

/** A copy of what the tests of the theory need. */
function makeCopy() {
  const copy = mkdtempSync(join(tmpdir(), 'virel-mutants-'));
  for (const part of ['src', '__tests__', 'jest.config.js', 'package.json']) {
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Whether some of the tests fail. */
function fails(copy, patterns, patience) {
  const env = {
    ...process.env,
    NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
  };
  const words = ['node_modules/jest/bin/jest.js', '--bail', '--silent', '--runInBand', ...patterns];
  const { status } = spawnSync(process.execPath, words, { cwd: copy, env, timeout: patience });
  return status !== 0;
}

/** A mutant may never end; a test that does not end has noticed. In milliseconds: one file takes seconds, all take a minute. */
const PATIENCE = { near: 120_000, all: 900_000 };

/** Tests of files that have none of their own name. */
const NEAR = { quadrature: 'boltzmann-density', demos: 'demos' };

/** Some quick claims that use all of the independent computations between them. */
const QUICK = /(equation-(9|12|25|31|32|33|39)|theorem-5-ii|golden-numbers) /.source;

/** The tests of the claims that a file states, or quick ones where it states none. */
function claimTests(copy, file) {
  const text = readFileSync(join(copy, file), 'utf8');
  const ids = [...text.matchAll(/^ {4}id: '([\w-]+)'/gm)].map(([, id]) => id);
  return [
    '__tests__/theory/claims.test.ts',
    '-t',
    ids.length > 0 ? `claims (${ids.join('|')}) holds` : QUICK,
  ];
}

/** The tests that are most likely to notice: those of the file's own stem, its claims, or quick claims. */
function nearTests(copy, file) {
  if (dirname(file) === CLAIMS) return claimTests(copy, file);
  const stem = basename(file, '.ts');
  const own = ['theory', 'plots'].map((room) => `__tests__/${room}/${NEAR[stem] ?? stem}.test.ts`);
  const found = own.find((path) => existsSync(join(copy, path)));
  return found ? [found] : ['__tests__/theory/claims.test.ts', '-t', QUICK];
}

/** First the nearest tests, then all: most mutants need the first only. */
function caught(copy, mutant) {
  const original = readFileSync(join(copy, mutant.file), 'utf8');
  writeFileSync(join(copy, mutant.file), mutant.text);
  try {
    return (
      fails(copy, nearTests(copy, mutant.file), PATIENCE.near) ||
      fails(copy, ['__tests__/theory'], PATIENCE.all)
    );
  } finally {
    writeFileSync(join(copy, mutant.file), original);
  }
}

const excuse = ({ file, code, name }) =>
  EQUIVALENT.find((known) => known.file === file && known.code === code && known.name === name);

const asked = process.argv.slice(2);
const files = ROOMS.flatMap((room) =>
  readdirSync(join(root, room))
    .filter((file) => file.endsWith('.ts') && file !== 'index.ts')
    .map((file) => join(room, file)),
).filter((file) => asked.length === 0 || asked.some((part) => file.includes(part)));

const copy = makeCopy();
try {
  if (fails(copy, ['__tests__/theory'], PATIENCE.all))
    throw new Error('the tests fail without any mutation');
  const rows = files.map((file) => {
    const mutants = triedOf(file);
    const survivors = mutants.filter((mutant) => !caught(copy, mutant));
    console.log(`${file}: ${mutants.length - survivors.length} of ${mutants.length} caught`);
    for (const survivor of survivors) {
      const reason = excuse(survivor)?.reason ?? 'NOT EXCUSED';
      console.log(`  line ${survivor.line}, ${survivor.name}: ${survivor.code}\n    ${reason}`);
    }
    return { mutants: mutants.length, survivors };
  });
  const total = rows.reduce((sum, row) => sum + row.mutants, 0);
  const survivors = rows.flatMap((row) => row.survivors);
  const unexcused = survivors.filter((survivor) => excuse(survivor) === undefined);
  console.log(
    `${total} mutants of ${files.length} files: ${total - survivors.length} caught, ${survivors.length - unexcused.length} equivalent, ${unexcused.length} not caught`,
  );
  process.exitCode = unexcused.length > 0 ? 1 : 0;
} finally {
  rmSync(copy, { recursive: true, force: true });
}
