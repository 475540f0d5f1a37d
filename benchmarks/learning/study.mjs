/**
 * Trains a study and writes its record: every seed's evaluations, the table of scores and the curves.
 *
 *     npm run build && node benchmarks/learning/study.mjs STUDY RUNS RECORD [--jobs 2]
 *
 * STUDY is a file of benchmarks/learning/studies without `.mjs`; runs go to RUNS/<group>-seed-<n>, and a finished one
 * is not run again; RECORD gets README.md, one .eval.csv a run and one .svg a task. With `--jobs 0` nothing is trained:
 * the record is written of the runs that are finished.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { drawCurves } from './curves.mjs';
import { loadEvaluations } from './evaluations.mjs';
import { commandOf, runName, summaryOf, trainAll } from './runs.mjs';

const { values, positionals } = parseArgs({
  options: { jobs: { type: 'string', default: '2' } },
  allowPositionals: true,
});
const [name, directory, record] = positionals;
if (record === undefined) throw new Error('usage: study.mjs STUDY RUNS RECORD [--jobs 2]');
const { study } = await import(`./studies/${name}.mjs`);

const runsOf = ({ name: group, words, seeds }) =>
  seeds.map((seed) => ({ name: group, words, seed }));
// seed by seed over all groups, so that an interrupted study has whole comparisons
const seeds = [...new Set(study.groups.flatMap((group) => group.seeds))];
const runs = seeds.flatMap((seed) =>
  study.groups.flatMap(runsOf).filter((run) => run.seed === seed),
);

mkdirSync(directory, { recursive: true });
await trainAll(directory, runs, Number(values.jobs));

mkdirSync(record, { recursive: true });
const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;

/** A group's finished seeds with their scores; their evaluations are copied to the record. */
function resultOf(group) {
  const finished = runsOf(group).flatMap((run) => {
    const summary = summaryOf(directory, run);
    if (summary === undefined) return [];
    const folder = join(directory, runName(run));
    copyFileSync(join(folder, 'eval.csv'), join(record, `${runName(run)}.eval.csv`));
    const evaluations = loadEvaluations(folder);
    const { git, machine } = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8'));
    return [{ run, summary, evaluations, score: group.score(evaluations), git, cpu: machine.cpu }];
  });
  return { group, finished };
}

const results = study.groups.map(resultOf);
const rows = results.map(({ group, finished }) => {
  const scores = finished.map(({ score }) => score);
  const cells = group.seeds.map((seed) => {
    const found = finished.find(({ run }) => run.seed === seed);
    return found === undefined ? 'not run' : found.score.toFixed(0);
  });
  const complete = finished.length === group.seeds.length;
  const verdict = group.asked && complete ? (group.asked.met(scores) ? 'yes' : 'no') : '';
  const asked = group.asked?.text ?? '';
  const average = scores.length > 0 ? mean(scores).toFixed(0) : '';
  return `| ${[group.name, ...cells, average, asked, verdict].join(' | ')} |`;
});

/** Curves of one task: every seed of every algorithm on it. */
const pictures = [
  ...new Set(results.flatMap(({ finished }) => finished.map((f) => f.summary.env))),
];
for (const env of pictures) {
  const curves = results.flatMap(({ finished }) =>
    finished.filter(({ summary }) => summary.env === env).map(curveOf),
  );
  writeFileSync(join(record, `${env}.svg`), drawCurves(env, curves));
}

function curveOf({ run, summary, evaluations }) {
  return { algorithm: summary.algorithm, seed: run.seed, evaluations };
}

const made = results.flatMap(({ finished }) => finished);
const distinct = (values) => [...new Set(values)].join(', ');
const commands = study.groups.map(
  (group) => `    npx virel-native ${commandOf({ words: group.words, seed: 'SEED' }).join(' ')}`,
);
const speed = made.map(({ summary }) => summary.steps / summary.wallSeconds);
const day = new Date().toISOString().slice(0, 10);
const text = `# ${study.title}

Written ${day} on ${cpus()[0].model} by \`node benchmarks/learning/study.mjs ${name} ${directory} ${record}\`.
Runs: ${distinct(made.map(({ cpu }) => cpu))}, one thread each, commit ${distinct(made.map(({ git }) => git?.slice(0, 7)))}${
  speed.length > 0
    ? `, ${Math.min(...speed).toFixed(0)} to ${Math.max(...speed).toFixed(0)} steps/s, evaluations included, beside other work`
    : ''
}. Score: ${study.score}.

| runs | ${seeds.map((seed) => `seed ${seed}`).join(' | ')} | mean | asked | met |
| --- | ${seeds.map(() => '---:').join(' | ')} | ---: | --- | --- |
${rows.join('\n')}

${pictures.map((env) => `![${env}](${env}.svg)`).join('\n\n')}

Each run is one of

${commands.join('\n')}

Beside this table lie the evaluations of every run; nothing is smoothed, no seed is left out.
`;
writeFileSync(join(record, 'README.md'), text);
console.log(text);
