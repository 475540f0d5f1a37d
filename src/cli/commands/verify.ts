import type { Argv, CommandModule } from 'yargs';
import { VirelError } from '../../errors.js';
import type { Claim, NumericClaim, Verdict } from '../../theory/claims/index.js';
import { sourceOf } from '../claim-source.js';
import { note, print, printJson, shortPath } from '../output.js';

/** The room is loaded when it is asked for: other verbs start without it. */
const theory = () => import('../../theory/claims/index.js');

interface VerifyArguments {
  only: string | undefined;
  explain: string | undefined;
  demo: string | undefined;
  out: string;
  json: boolean | undefined;
}

/** `a, b` as a list. @throws VirelError `CLI_USAGE` where it is empty. */
function namesOf(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  const given = names.filter((name) => name !== '');
  if (given.length > 0) return given;
  throw new VirelError('CLI_USAGE', '--only: expected ids of claims, got none', {
    where: '--only',
    fix: 'virel-native verify --only theorem-4,equation-30',
  });
}

const scientific = (value: number | null) => (value === null ? '' : value.toExponential(1));

/** Columns of the table: how a row begins, then the statement. */
const WIDTHS = { status: 6, id: 33, number: 10 } as const;

/** Where a terminal is too narrow for a statement beside the numbers, it has lines of its own. */
const ROOM_FOR_STATEMENT = 70;

function row(status: string, id: string, numbers: readonly string[], statement: string): string {
  const cells = numbers.map((text) => text.padStart(WIDTHS.number));
  const start = [status.padEnd(WIDTHS.status), id.padEnd(WIDTHS.id), ...cells].join(' ');
  const columns = process.stdout.columns ?? Number.POSITIVE_INFINITY;
  const room = columns - start.length - 2;
  if (statement === '') return start.trimEnd();
  if (room === Number.POSITIVE_INFINITY) return `${start}  ${statement}`;
  if (room < ROOM_FOR_STATEMENT) {
    const indent = ' '.repeat(WIDTHS.status + 1);
    return `${start.trimEnd()}\n${indentAll(wrap(statement, columns - indent.length), indent)}`;
  }
  const beside = ' '.repeat(start.length + 2);
  return `${start}  ${indentAll(wrap(statement, room), beside).trimStart()}`;
}

const indentAll = (text: string, indent: string) => text.replaceAll(/^(?=.)/gm, indent);

const WORDS = { passed: 'ok', failed: 'FAILED', 'not-numeric': '-' } as const;

function verdictRow({ claim, status, measured, printed }: Verdict): string {
  const tolerance = 'tolerance' in claim ? claim.tolerance : null;
  const numbers = [scientific(measured), scientific(tolerance), scientific(printed)];
  const statement = 'reason' in claim ? `${claim.statement} (${claim.reason})` : claim.statement;
  return row(WORDS[status], claim.id, numbers, statement);
}

/** A verdict as `--json` has it; the reason of what has no number joins its statement. */
function jsonOf({ claim, status, measured, printed }: Verdict): object {
  const { id, statement, source } = claim;
  if ('reason' in claim) {
    const said = `${statement} Not numeric: ${claim.reason}.`;
    return { id, statement: said, source, measured: null, tolerance: null, status };
  }
  const print = claim.printed && {
    printed: { statement: claim.printed.statement, error: printed },
  };
  return { id, statement, source, measured, tolerance: claim.tolerance, status, ...print };
}

const count = (verdicts: readonly Verdict[], status: Verdict['status']) =>
  verdicts.filter((verdict) => verdict.status === status).length;

/** Checks claims one by one, so that each is seen as soon as it is known. */
async function verify(claims: readonly Claim[], json: boolean): Promise<void> {
  const { checkClaim } = await theory();
  const began = performance.now();
  if (!json) print(row('', 'claim', ['measured', 'tolerance', 'as printed'], 'statement'));
  const verdicts = claims.map((claim) => {
    const verdict = checkClaim(claim);
    if (!json) print(verdictRow(verdict));
    return verdict;
  });
  const [passed, failed] = [count(verdicts, 'passed'), count(verdicts, 'failed')];
  if (json) printJson({ passed, failed, claims: verdicts.map(jsonOf) });
  else print(summary(verdicts, (performance.now() - began) / 1000));
  if (failed > 0) process.exitCode = 1;
}

function summary(verdicts: readonly Verdict[], seconds: number): string {
  const errata = verdicts.filter(({ printed }) => printed !== null).length;
  const parts = [
    `${count(verdicts, 'passed')} passed, ${count(verdicts, 'failed')} failed`,
    `${count(verdicts, 'not-numeric')} definitions and assumptions without a number`,
    `${errata} where the print is wrong, by the size in the column "as printed"`,
    `${seconds.toFixed(1)} s`,
  ];
  return `\n${wrap(parts.join('; '), pageWidth())}\none in full: npx virel-native verify --explain theorem-4`;
}

/** Widest page that is easy to read, and never wider than the terminal. */
const PAGE_WIDTH = 96;
const pageWidth = () => Math.min(PAGE_WIDTH, process.stdout.columns ?? PAGE_WIDTH);

/** A paragraph in lines of at most `width` characters. */
function wrap(text: string, width: number): string {
  const lines = [''];
  const lengthOf = (line: string) => [...line].length;
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1] as string;
    if (last !== '' && lengthOf(last) + 1 + lengthOf(word) > width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join('\n');
}

/** One claim on a page: what it says, its number, the derivation, the code and how to import it. */
function page(claim: NumericClaim, { status, measured, printed }: Verdict): string {
  const paragraph = (text: string) => wrap(text, pageWidth());
  const found = `${WORDS[status]}: measured ${scientific(measured)}, tolerance ${scientific(claim.tolerance)} (${claim.why})`;
  const print = claim.printed
    ? [paragraph(`as printed: ${claim.printed.statement}; error ${scientific(printed)}`), '']
    : [];
  const { file, code } = sourceOf(claim.id) ?? { file: '', code: claim.measure.toString() };
  return [
    `${claim.id}   ${claim.source}`,
    '',
    paragraph(claim.statement),
    '',
    paragraph(found),
    '',
    ...print,
    ...claim.derivation.flatMap((text) => [paragraph(text), '']),
    file === '' ? 'checked by' : `checked by (${file})`,
    '',
    indentAll(code, '  '),
    '',
    'in a program',
    '',
    "  import { theory } from 'virel-native';",
    `  const { ${claim.uses.join(', ')} } = theory;`,
    `  const [claim] = theory.selectClaims(['${claim.id}']);`,
    '  theory.checkClaim(claim).measured;',
  ].join('\n');
}

/** Pages of the claim of an id, or of all whose ids begin so; with --json what `verify` gives, derivation and code added. */
async function explain(name: string, json: boolean): Promise<void> {
  const { checkClaim, CLAIMS, selectClaims } = await theory();
  const exact = CLAIMS.filter(({ id }) => id === name);
  const verdicts = (exact.length > 0 ? exact : selectClaims([name])).map(checkClaim);
  const [passed, failed] = [count(verdicts, 'passed'), count(verdicts, 'failed')];
  if (json) printJson({ passed, failed, claims: verdicts.map(explainedJson) });
  else print(verdicts.map(explained).join('\n\n'));
  if (failed > 0) process.exitCode = 1;
}

function explainedJson(verdict: Verdict): object {
  const { claim } = verdict;
  if ('reason' in claim) return jsonOf(verdict);
  const { derivation, uses } = claim;
  return { ...jsonOf(verdict), derivation, uses, ...sourceOf(claim.id) };
}

function explained(verdict: Verdict): string {
  const { claim } = verdict;
  if (!('reason' in claim)) return page(claim, verdict);
  const text = [claim.statement, `No number: ${claim.reason}.`].map((each) =>
    wrap(each, pageWidth()),
  );
  return [`${claim.id}   ${claim.source}`, ...text].join('\n\n');
}

async function demo(name: string, folder: string, json: boolean): Promise<void> {
  const { writeDemo } = await import('../../plots/demo.js');
  const files = await writeDemo(name, folder);
  if (json) printJson({ demo: name, files });
  else {
    print(files.map(shortPath).join('\n'));
    note('what to see in them: docs/theory.md');
  }
}

function refuseTogether(args: VerifyArguments): void {
  const given = (['only', 'explain', 'demo'] as const).filter((name) => args[name] !== undefined);
  if (given.length < 2) return;
  const flags = given.map((name) => `--${name}`).join(' and ');
  throw new VirelError('CLI_USAGE', `${flags} cannot be given together`, { where: flags });
}

/** `virel-native verify`: works offline and without the native part. */
export const verifyCommand: CommandModule<unknown, VerifyArguments> = {
  command: 'verify',
  describe: "Check the paper's claims by numbers",
  builder: (yargs) =>
    yargs
      .option('only', {
        type: 'string',
        requiresArg: true,
        describe: 'These claims alone: an id, or how ids begin; several with commas',
      })
      .option('explain', {
        type: 'string',
        requiresArg: true,
        describe: 'One claim on a page: derivation, code, how to import it',
      })
      .option('demo', {
        type: 'string',
        requiresArg: true,
        describe:
          'Run EM on a small MDP and draw it: three-by-two, chain, gridworld, merl-counterexample',
      })
      .option('out', {
        type: 'string',
        requiresArg: true,
        default: 'demos',
        describe: 'Folder of the pictures of --demo',
      })
      .option('json', { type: 'boolean', describe: 'One JSON object on standard output' })
      .example('$0 verify --only theorem-4', 'one claim')
      .example('$0 verify --explain equation-30', 'why it holds, and what is wrong in print')
      .example(
        '$0 verify --demo merl-counterexample',
        'pictures',
      ) as unknown as Argv<VerifyArguments>,
  handler: async (args) => {
    refuseTogether(args);
    const { only, explain: explained, demo: name, out } = args;
    const json = args.json === true;
    if (explained !== undefined) await explain(explained, json);
    else if (name !== undefined) await demo(name, out, json);
    else {
      const { CLAIMS, selectClaims } = await theory();
      await verify(only === undefined ? CLAIMS : selectClaims(namesOf(only)), json);
    }
  },
};
