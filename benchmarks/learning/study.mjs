/**
 * Trains a study and writes its record: every seed's evaluations, the table of scores and the curves.
 *
 *     npm run build && node benchmarks/learning/study.mjs STUDY RUNS RECORD [--jobs 2]
 *
 * STUDY is a file of benchmarks/learning/studies without `.mjs`; runs go to RUNS/<group>-seed-<n>. RECORD gets
 * README.md, two files a run and one .svg a task; a run that it has already is not run again, so that a study goes on
 * over interruptions and machines. With `--jobs 0` nothing is trained: the record is written of what is there.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { drawCurves } from './curves.mjs';
import { commandOf, recordedRun, trainAll } from './runs.mjs';

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

for (const folder of [directory, record]) mkdirSync(folder, { recursive: true });
await trainAll(directory, record, runs, Number(values.jobs));

const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;
const distinct = (list) => [...new Set(list)].sort().join(', ');

/** A group's recorded seeds, each with its score. */
const results = study.groups.map((group) => ({
  group,
  made: runsOf(group).flatMap((run) => {
    const found = recordedRun(record, run);
    return found === undefined ? [] : [{ ...found, score: group.score(found.evaluations) }];
  }),
}));

function verdictOf({ met, shortfall }, scores) {
  if (met(scores)) return 'yes';
  return shortfall === undefined ? 'no' : `no, short by ${shortfall(scores).toFixed(0)}`;
}

/** One line of the table; the verdict waits for every seed. */
function rowOf({ group, made }) {
  const scores = made.map(({ score }) => score);
  const digits = scores.some((score) => Math.abs(score) < 100) ? 1 : 0;
  const cells = seeds.map((seed) => {
    if (!group.seeds.includes(seed)) return '';
    return made.find((each) => each.seed === seed)?.score.toFixed(digits) ?? 'not run';
  });
  const complete = made.length === group.seeds.length;
  const verdict = group.asked && complete ? verdictOf(group.asked, scores) : '';
  const average = scores.length > 0 ? mean(scores).toFixed(digits) : '';
  return `| ${[group.name, ...cells, average, group.asked?.text ?? '', verdict].join(' | ')} |`;
}

/** Every run of a task in one picture. */
const made = results.flatMap((result) => result.made);
const tasks = [...new Set(made.map(({ env }) => env))];
for (const env of tasks) {
  const curves = made.filter((each) => each.env === env);
  writeFileSync(join(record, `${env}.svg`), drawCurves(env, curves));
}

const speeds = made.map(({ steps, wallSeconds }) => steps / wallSeconds);
const commands = study.groups.map(
  ({ words }) => `    npx virel-native ${commandOf({ words, seed: 'SEED' }).join(' ')}`,
);
const text = `# ${study.title}

Made by \`node benchmarks/learning/study.mjs ${name} RUNS ${record}\`. Runs of ${distinct(
  made.map(({ created }) => created.slice(0, 10)),
)} on ${distinct(made.map(({ cpu }) => cpu))}, one thread each, ${Math.min(...speeds).toFixed(0)} to ${Math.max(
  ...speeds,
).toFixed(0)} steps a second beside other work (no figure of speed), commit ${distinct(
  made.map(({ git }) => git?.slice(0, 7)),
)}.
Score: ${study.score}.

| runs | ${seeds.map((seed) => `seed ${seed}`).join(' | ')} | mean | asked | met |
| --- | ${seeds.map(() => '---:').join(' | ')} | ---: | --- | --- |
${results.map(rowOf).join('\n')}

${study.reading ? `${study.reading}\n\n` : ''}${tasks.map((env) => `![${env}](${env}.svg)`).join('\n\n')}

Each run is one of

${commands.join('\n')}

Beside this table lie the evaluations of every run; nothing is smoothed, no seed is left out.
`;
writeFileSync(join(record, 'README.md'), text);
console.log(text);
