/** The command line: verbs, and one place where an error becomes text and an exit code. */
import yargs, { type Argv, type CommandModule } from 'yargs';
import { Parser } from 'yargs/helpers';
import { VirelError } from '../errors.js';
import { packageVersion } from '../setup/places.js';
import { toVirelError } from '../training/failure.js';
import { describeError, note, printJson, surviveClosedPipes } from './output.js';
import { usageError } from './usage.js';

/** The verbs, in the order of the help; a process loads the one it is asked for. */
const COMMANDS: Record<string, () => Promise<object>> = {
  train: async () => (await import('./commands/train.js')).trainCommand,
  resume: async () => (await import('./commands/resume.js')).resumeCommand,
  eval: async () => (await import('./commands/eval.js')).evalCommand,
  watch: async () => (await import('./commands/watch.js')).watchCommand,
  plot: async () => (await import('./commands/plot.js')).plotCommand,
  compare: async () => (await import('./commands/compare.js')).compareCommand,
  sweep: async () => (await import('./commands/sweep.js')).sweepCommand,
  reproduce: async () => (await import('./commands/reproduce.js')).reproduceCommand,
  export: async () => (await import('./commands/export.js')).exportCommand,
  envs: async () => (await import('./commands/envs.js')).envsCommand,
  algorithms: async () => (await import('./commands/algorithms.js')).algorithmsCommand,
  config: async () => (await import('./commands/config.js')).configCommand,
  verify: async () => (await import('./commands/verify.js')).verifyCommand,
  bench: async () => (await import('./commands/bench.js')).benchCommand,
  setup: async () => (await import('./commands/setup.js')).setupCommand,
  doctor: async () => (await import('./commands/doctor.js')).doctorCommand,
};
const VERBS = Object.keys(COMMANDS);

/** The verb that the words begin with, alone; all of them where that is not sure. */
function loadCommands([first = '']: readonly string[]): Promise<object[]> {
  const asked = VERBS.includes(first) ? [first] : VERBS;
  return Promise.all(asked.map((verb) => (COMMANDS[verb] as () => Promise<object>)()));
}

/** Widest help, so that it stays readable. */
const MOST_COLUMNS = 100;

/** Options given twice where one value is wanted: yargs would hand on a list. */
function refuseRepeated(args: Record<string, unknown>, lists: readonly string[]): void {
  const twice = Object.keys(args).find(
    (name) => Array.isArray(args[name]) && !lists.includes(name),
  );
  if (twice === undefined) return;
  throw new VirelError('CLI_USAGE', `--${twice} is given more than once`, {
    where: `--${twice}`,
    got: (args[twice] as unknown[]).join(', '),
    fix: `give --${twice} once`,
  });
}

/** Options that may be given more than once, and positional lists. */
const LISTS = ['_', 'config', 'set', 'files', 'runs', 'require', 'sbatch'];

async function parser(words: readonly string[]): Promise<Argv> {
  const verb = words.find((word) => !word.startsWith('-'));
  const cli: Argv = yargs([...words])
    .scriptName('virel-native')
    .usage('$0 <verb>: train policies by variational EM (VIREL) on MuJoCo tasks')
    // --no-setup is an option of that name, not the negation of --setup
    .parserConfiguration({ 'boolean-negation': false })
    .exitProcess(false)
    .strict()
    .demandCommand(1, 'say what to do')
    // not on the front page, which is full; the README says where its script goes
    .completion('completion', false)
    .version(packageVersion())
    // nothing here is coloured; programs that are started are told
    .option('no-color', { type: 'boolean', hidden: true })
    .wrap(Math.min(MOST_COLUMNS, process.stdout.columns || 80))
    .epilogue('exit codes: 0 done, 1 failed, 2 usage or config, 3 native part, 130 Ctrl-C')
    .middleware((args) => refuseRepeated(args, LISTS))
    .fail((message, error) => {
      // the parser's own complaints come as a message or as a YError
      if (error && error.name !== 'YError') throw error;
      const flags = Object.keys(
        (cli as unknown as { getOptions(): { key: object } }).getOptions().key,
      );
      throw usageError(message ?? error.message, { words, verb, verbs: VERBS, flags });
    });
  for (const command of await loadCommands(words)) cli.command(command as CommandModule);
  return cli
    .example('$0 train', 'virel on HalfCheetah-v5')
    .example('$0 train --seeds 0-4 --json', 'five runs, events as JSON lines')
    .example('$0 resume latest', 'go on with the newest run')
    .example('$0 eval latest', 'returns of the newest run')
    .example('$0 watch', 'curves and the robot, in your browser')
    .example('$0 compare runs --baseline sac', 'scores, with intervals')
    .example('$0 verify', 'the claims of the paper, checked')
    .example('$0 bench', 'how fast this machine trains')
    .example('$0 doctor', 'what is set up, and what is wrong');
}

/** What decides how an error is reported, of a command line that may be wrong in any other way. */
function readAsked(words: readonly string[]): { json: boolean; verb: unknown; several: boolean } {
  const { json, seeds, _ } = Parser([...words], {
    boolean: ['json'],
    string: ['seeds'],
    configuration: { 'boolean-negation': false, 'duplicate-arguments-array': false },
  });
  return { json: json === true, verb: _[0], several: seeds !== undefined };
}

/** The last line of `train --json` where no run began. */
function nothingTrained({ code, message }: VirelError, several: boolean): object {
  if (several) return { event: 'summary', runs: [] };
  const nothing = { steps: 0, updates: 0, wallSeconds: 0, finalScore: null, evaluation: null };
  const unknown = { runDir: '', env: null, algorithm: null, seed: null };
  return { event: 'summary', state: 'failed', ...unknown, ...nothing, code, message };
}

/** Prints an error and sets the exit code. */
function report(error: VirelError, words: readonly string[]): void {
  const { code, message, where, expected, got, fix, exit } = error;
  const { json, verb, several } = readAsked(words);
  if (json) printJson({ event: 'error', code, message, where, expected, got, fix, exit });
  if (json && (verb === 'train' || verb === 'resume')) printJson(nothingTrained(error, several));
  if (json && verb === 'sweep') printJson({ event: 'summary', runs: [] });
  note(describeError(error));
  if (code === 'PANIC' && error.cause instanceof Error) note(error.cause.stack ?? '');
  process.exitCode = exit;
}

/** Some complaints of the parser do not pass its own handler of failures. */
function toOurs(error: unknown): VirelError {
  const { name, message } = error as Error;
  const ofParser = error instanceof Error && name === 'YError';
  return ofParser
    ? usageError(message, { words, verb: undefined, verbs: VERBS, flags: [] })
    : toVirelError(error);
}

const words = process.argv.slice(2);
surviveClosedPipes();
if (words.includes('--no-color')) process.env['NO_COLOR'] = '1';
try {
  const cli = await parser(words);
  await cli.parseAsync();
} catch (error) {
  report(toOurs(error), words);
}
