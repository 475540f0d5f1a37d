/** Reports of what is computed at once: the paper's table of parameters, and its claims. */
import { resolve } from 'node:path';
import { resolveConfig } from '../config/resolve.js';
import { writeDemo } from '../plots/demo.js';
import {
  checkClaim,
  selectClaims,
  CLAIMS as THEIRS,
  type Verdict,
} from '../theory/claims/index.js';
import { makeFolders } from '../training/files.js';
import type { ComputedFigure } from './figures.js';
import { markdownTable, type Report, writePage } from './report.js';

/** A line of Table 1: what it prints, and the key here, of a task and an algorithm. */
interface Parameter {
  readonly name: string;
  readonly printed: number;
  readonly key: string;
  readonly env?: string;
  readonly algorithm?: 'virel' | 'beta';
}

const scale = (env: string, printed: number): Parameter => ({
  name: `reward scale, ${env}`,
  printed,
  key: 'rewardScale',
  env,
});
const factor = (env: string, printed: number): Parameter => ({
  name: `(1 - discount) / r_avg, ${env}`,
  printed,
  key: 'temperature.temperatureScale',
  env,
  algorithm: 'beta',
});

/** Table 1 of the appendix, experiments on MuJoCo v2. */
const TABLE_1: readonly Parameter[] = [
  { name: 'steps per evaluation', printed: 1000, key: 'evaluation.every' },
  { name: 'path length', printed: 999, key: 'env.maxEpisodeSteps' },
  { name: 'discount factor', printed: 0.99, key: 'discount' },
  { name: 'batch size', printed: 128, key: 'replay.batchSize' },
  { name: 'net size', printed: 300, key: 'network.hidden' },
  factor('Humanoid-v4', 4e-4),
  factor('Hopper-v4', 4e-3),
  factor('HalfCheetah-v4', 4e-3),
  factor('Walker2d-v4', 4e-3),
  factor('Ant-v4', 4e-3),
  scale('Hopper-v4', 5),
  scale('HalfCheetah-v4', 5),
  scale('Walker2d-v4', 3),
  scale('Ant-v4', 1),
  scale('Humanoid-v4', 1),
  { name: 'learning rate of V', printed: 3e-4, key: 'optim.stateValueLearningRate' },
  { name: 'learning rate of the policy', printed: 3e-4, key: 'optim.policyLearningRate' },
];

function valueHere({ key, env = 'Hopper-v4', algorithm = 'virel' }: Parameter): unknown {
  const config = resolveConfig({ env, algorithm, preset: 'paper' });
  return key
    .split('.')
    .reduce<unknown>((part, name) => (part as Record<string, unknown> | undefined)?.[name], config);
}

const agrees = ({ printed }: Parameter, value: unknown) =>
  Array.isArray(value) ? value.every((each) => each === printed) : value === printed;

/** Table 1 as printed, beside the values of the preset `paper`. */
export function reportTable(dir: string, figure: ComputedFigure): Report {
  makeFolders(resolve(dir));
  const values = TABLE_1.map(valueHere);
  const rows = TABLE_1.map((parameter, index) => {
    const value = values[index];
    const same = agrees(parameter, value) ? 'yes' : '**no**';
    return [
      parameter.name,
      String(parameter.printed),
      `\`${parameter.key}\``,
      JSON.stringify(value),
      same,
    ];
  });
  const differing = TABLE_1.filter((parameter, index) => !agrees(parameter, values[index]));
  const table = markdownTable(['parameter', 'printed', 'key', 'here', 'the same'], rows);
  const caveats = differing.map(({ name }) => `${name} differs from Table 1.`);
  return { files: [writePage(dir, figure, [table])], caveats };
}

const number = (value: number | null) => (value === null ? '' : value.toExponential(1));

const claimRow = ({ claim, status, measured, printed }: Verdict) => [
  claim.id,
  claim.source,
  status,
  number(measured),
  'tolerance' in claim ? number(claim.tolerance) : '',
  number(printed),
];

/** The claims of a figure by numbers, with pictures of EM on small MDPs. */
export async function reportClaims(dir: string, figure: ComputedFigure): Promise<Report> {
  const verdicts = (figure.claims === undefined ? THEIRS : selectClaims([figure.claims])).map(
    checkClaim,
  );
  const count = (status: Verdict['status']) =>
    verdicts.filter((each) => each.status === status).length;
  const demos = figure.demos ?? [];
  const files: string[] = [];
  for (const demo of demos) files.push(...(await writeDemo(demo, dir)));
  const pictures = files
    .filter((file) => file.endsWith('.svg'))
    .map((file) => file.slice(dir.length + 1));
  const head = ['claim', 'source', 'status', 'error', 'tolerance', 'error as printed'];
  const page = writePage(dir, figure, [
    `${count('passed')} passed, ${count('failed')} failed, ${count('not-numeric')} without a number. \`npx virel-native verify --explain CLAIM\` shows one on a page.`,
    markdownTable(head, verdicts.map(claimRow)),
    ...pictures.map((name) => `![${name}](${name})`),
  ]);
  const failed = verdicts.filter(({ status }) => status === 'failed');
  const caveats = failed.map(({ claim }) => `${claim.id} does not hold.`);
  return { files: [page, ...files], caveats };
}
