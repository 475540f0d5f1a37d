/** `README.md` of a hub folder: the front matter that hubs read, and the card that people do. */
import { stringify } from 'yaml';
import { describeProtocol } from '../comparison/protocol.js';
import { optionsOf } from '../environments/choices.js';
import type { EvaluationRecord } from '../logging/sinks/csv.js';
import type { Run } from '../training/load-run.js';
import type { Source } from './source.js';

/** What a card tells. */
export interface Card {
  readonly source: Source;
  /** Of the exported step; undefined if it was not evaluated. */
  readonly evaluation: EvaluationRecord | undefined;
  /** The run among its other seeds. */
  readonly seeds: readonly Run[];
  /** Keys of the config that no preset and no default decided, each with its value and what did. */
  readonly chosen: readonly { key: string; value: unknown; origin: string }[];
  /** The picture's name, where there is one. */
  readonly curve: string | undefined;
  /** Whether a recorded episode and its page lie beside. */
  readonly isShown: boolean;
}

const number = (value: number) =>
  value.toLocaleString('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const whole = (value: number) => value.toLocaleString('en-US');

/** `1234.5 +/- 67.8` as leaderboards of hubs read it. */
export const meanReward = ({ returnMean, returnStd }: EvaluationRecord) =>
  `${returnMean.toFixed(2)} +/- ${returnStd.toFixed(2)}`;

/** The front matter as an object. */
function frontMatter({ source, evaluation }: Card): object {
  const { env, algorithm, step } = source.config;
  const metric = (record: EvaluationRecord) => ({
    type: 'mean_reward',
    name: 'mean_reward',
    value: meanReward(record),
    args: { episodes: record.episodes, seeds: 1, step },
    verified: false,
  });
  const result = (record: EvaluationRecord) => ({
    task: { type: 'reinforcement-learning', name: 'reinforcement-learning' },
    dataset: { name: env, type: env },
    metrics: [metric(record)],
  });
  return {
    library_name: 'virel-native',
    pipeline_tag: 'reinforcement-learning',
    tags: ['reinforcement-learning', 'deep-reinforcement-learning', 'mujoco', env, algorithm],
    ...(evaluation && { 'model-index': [{ name: algorithm, results: [result(evaluation)] }] }),
  };
}

/** A table of Markdown. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function evaluationText({ source, evaluation, seeds }: Card): string {
  const { step } = source.config;
  const protocol = describeProtocol([{ name: '', runs: [source.run] }]);
  if (evaluation === undefined) {
    return `Step ${whole(step)} was not evaluated. The protocol of the run: deterministic actions, ${protocol}.`;
  }
  const { episodes, returnMin, returnMax, lengthMean } = evaluation;
  const range = `from ${number(returnMin)} to ${number(returnMax)}`;
  const one = ' It is one seed: another may do much better or much worse.';
  const best = ` The checkpoint was chosen for it, the best of ${source.run.evaluations().length} evaluations: expect less of another.`;
  const other = (source.step === 'best' ? best : '') + (seeds.length > 1 ? '' : one);
  return `**${meanReward(evaluation)}**: mean and standard deviation of the undiscounted, unscaled returns of ${episodes} episodes
(${range}, mean length ${number(lengthMean)}) at step ${whole(step)}, while it was trained. Protocol: deterministic actions, ${protocol}, in an
environment of their own.${other}`;
}

function seedsText({ source, seeds }: Card): string {
  const rows = seeds.map(({ config, summary }) => {
    const mine = config.seed === source.run.config.seed ? ' (this one)' : '';
    const score = summary?.finalScore;
    return [
      `${config.seed}${mine}`,
      summary === undefined ? 'unknown' : whole(summary.steps),
      typeof score === 'number' ? number(score) : 'none',
      summary?.state ?? 'not ended',
    ];
  });
  return `All runs of this config that lay beside it, those that failed included. Final score: the mean of the evaluations in the
last 10 % of the steps, never the maximum.

${table(['seed', 'steps', 'final score', 'state'], rows)}`;
}

function deviationsText({ source, chosen }: Card): string {
  const { preset } = source.run.config;
  if (chosen.length === 0) return `None: every value is that of preset \`${preset}\`.`;
  const rows = chosen.map(({ key, value, origin }) => [
    `\`${key}\``,
    `\`${JSON.stringify(value)}\``,
    origin,
  ]);
  return `From preset \`${preset}\`; how preset and paper differ is in docs/paper.md of virel-native.

${table(['key', 'value', 'said by'], rows)}`;
}

/** What another needs beside the config. */
function ownFiles({ config }: Source): string {
  const { modelFile, taskFile } = config.envOptions;
  const files = [modelFile, taskFile].filter((file) => typeof file === 'string');
  return files.length === 0
    ? ''
    : '\nIt needs the model and task files of its author, which are not in this folder.\n';
}

function versionsText({ run, config }: Source): string {
  const { versions, machine } = run.manifest;
  const known = [
    ['virel-native', config.package],
    ['commit', versions?.commit],
    ['libtorch', versions?.torch],
    ['MuJoCo', versions?.mujoco],
    ['Node', versions?.node],
    ['processor', machine?.cpu],
    ['threads', machine?.threads],
  ].filter(([, value]) => value !== undefined && value !== null);
  return table(
    ['what', 'version'],
    known.map(([what, value]) => [String(what), String(value)]),
  );
}

function taskText({ config }: Source): string {
  const options = Object.entries(optionsOf(config.envOptions));
  const changed = options.map(([name, value]) => `\`${name}\` ${JSON.stringify(value)}`);
  const other = changed.length === 0 ? '' : `, with ${changed.join(', ')}`;
  return `[Gymnasium](https://gymnasium.farama.org)'s task \`${config.env}\`${other}: ${config.observationSize} observations, ${config.actionSize} actions,
episodes of at most ${whole(config.maxEpisodeSteps)} steps.`;
}

/** How to see the policy act. */
const watchingText = ({ isShown }: Card) =>
  isShown
    ? `## Watching

[\`index.html\`](index.html) shows a recorded episode of this policy (\`replay.qrec\`) and the curves of its run, in any browser and offline: one file
with MuJoCo's WebAssembly inside.

`
    : '';

/** The whole text of the card. */
export function modelCard(card: Card): string {
  const { source, curve } = card;
  const { env, algorithm, step, observationSize } = source.config;
  const picture =
    curve === undefined
      ? 'No evaluation was logged, so there is no curve.'
      : `![Return of the deterministic policy over environment steps](${curve})`;
  return `---
${stringify(frontMatter(card), { schema: 'core' })}---

# ${algorithm} on ${env}

A policy trained by \`${algorithm}\` with virel-native, after ${whole(step)} environment steps, seed ${source.run.config.seed}.

## Task

${taskText(source)}

## Loading

\`\`\`python
import numpy as np, onnxruntime
policy = onnxruntime.InferenceSession("policy.onnx")
action = policy.run(["action"], {"observation": np.zeros((1, ${observationSize}), np.float32)})[0]
\`\`\`

Loading executes no code: \`model.safetensors\` holds arrays, \`policy.onnx\` a graph of standard operators, the rest of what is loaded
is JSON.
Actions come in the units of the environment, observations go in as Gymnasium gives them; their order is in the metadata of
both files.

## Evaluation

${evaluationText(card)}

## Curve

${picture}

${watchingText(card)}## All seeds

${seedsText(card)}

## Reproducing it

\`\`\`sh
npx virel-native train --config train_config.json
\`\`\`
${ownFiles(source)}
The same versions, processor and threads give the same bits; others give another run of the same distribution.

${versionsText(source)}

## Deviations

${deviationsText(card)}

## Limits

It has seen nothing but this simulation: other masses, frictions or time steps, and a real robot, are outside of what it was
trained and measured on. Its training knew no constraint of safety.
`;
}
