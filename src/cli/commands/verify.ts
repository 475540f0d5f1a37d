import type { Argv, CommandModule } from 'yargs';
import { VirelError } from '../../errors.js';
import type { Claim, NumericClaim, Verdict } from '../../theory/claims/index.js';
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
const WIDTHS = { status: 6, id: 27, number: 9 } as const;

function row(status: string, id: string, numbers: readonly string[], statement: string): string {
  const cells = numbers.map((text) => text.padStart(WIDTHS.number));
  const line = [status.padEnd(WIDTHS.status), id.padEnd(WIDTHS.id), ...cells, ` ${statement}`];
  return shortened(line.join(' ').trimEnd());
}

/** As wide as the terminal, so that a row is a line; whole where there is none, and in --explain. */
function shortened(line: string): string {
  const columns = process.stdout.columns ?? Number.POSITIVE_INFINITY;
  return line.length <= columns ? line : `${line.slice(0, columns - 1)}…`;
}

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
  if (!json) print(row('', 'claim', ['measured', 'tolerance', 'as print'], 'statement'));
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
    `${errata} where the print is wrong, by the size in the column "as print"`,
    `${seconds.toFixed(1)} s`,
  ];
  return `\n${parts.join('; ')}\none in full: npx virel-native verify --explain theorem-4`;
}

const PAGE_WIDTH = 96;

/** A paragraph in lines of at most {@link PAGE_WIDTH}. */
function wrap(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1] as string;
    if (last !== '' && last.length + 1 + word.length > PAGE_WIDTH) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join('\n');
}

/** One claim on a page: what it says, its number, the derivation, the code and how to import it. */
function page(claim: NumericClaim, { status, measured, printed }: Verdict): string {
  const found = `${WORDS[status]}: measured ${scientific(measured)}, tolerance ${scientific(claim.tolerance)} (${claim.why})`;
  const print = claim.printed
    ? [wrap(`as printed: ${claim.printed.statement}; error ${scientific(printed)}`), '']
    : [];
  const imported = claim.uses.map((name) => name.split('.').at(-1) as string);
  const room = claim.uses.some((name) => name.startsWith('reference.')) ? 'reference' : 'theory';
  return [
    `${claim.id}   ${claim.source}`,
    '',
    wrap(claim.statement),
    '',
    wrap(found),
    '',
    ...print,
    ...claim.derivation.flatMap((paragraph) => [wrap(paragraph), '']),
    'checked by',
    '',
    claim.measure.toString().replaceAll(/^/gm, '  '),
    '',
    'in a program',
    '',
    `  import { theory${room === 'theory' ? '' : ', reference'} } from 'virel-native';`,
    `  const { ${imported.join(', ')} } = ${room};`,
    `  const [claim] = theory.selectClaims(['${claim.id}']);`,
    '  theory.checkClaim(claim).measured;',
  ].join('\n');
}

async function explain(name: string, json: boolean): Promise<void> {
  const { checkClaim, CLAIMS, isNumeric, selectClaims } = await theory();
  const chosen = CLAIMS.filter(({ id }) => id === name);
  for (const claim of chosen.length > 0 ? chosen : selectClaims([name])) {
    const verdict = checkClaim(claim);
    if (json) {
      const code = isNumeric(claim) && {
        derivation: claim.derivation,
        code: claim.measure.toString(),
      };
      printJson({ ...jsonOf(verdict), ...code });
    } else if (isNumeric(claim)) print(`${page(claim, verdict)}\n`);
    else
      print(
        `${claim.id}   ${claim.source}\n\n${wrap(claim.statement)}\n\nNo number: ${claim.reason}\n`,
      );
    if (verdict.status === 'failed') process.exitCode = 1;
  }
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
  describe: 'Check every claim of the paper by numbers; explain one; watch EM on a small MDP',
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
        describe: 'Run EM on a named MDP and draw it: chain, gridworld, ...',
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
