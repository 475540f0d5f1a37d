/** The table of a record, for people. */
import { OURS } from './matchups.mjs';
import { summarise, verdict } from './statistics.mjs';

/**
 * A matchup's lines: ours first, then every peer with the ratio of medians, ours to theirs.
 *
 * @returns {{name: string, median: number, low: number, high: number, ratio?: number, asked?: object, verdict: string}[]}
 */
export function standings({ contestants }) {
  const lines = contestants.map(({ name, blocks, asked }) => ({
    name,
    asked,
    ...summarise(blocks),
  }));
  const ours = lines.find(({ name }) => name === OURS);
  return lines.map((line) => {
    if (line === ours) return { ...line, verdict: '' };
    const ratio = ours.median / line.median;
    return { ...line, ratio, verdict: verdict(ratio, line.asked) };
  });
}

/**
 * Where a matchup stands below the ceiling of its cores: the arithmetic that its unit of work cannot do without, over what the
 * multiply-add units do in the same minutes. Peers that need more arithmetic for the same work are counted by the same.
 *
 * @returns {{gflops: number, of: (rate: number) => number} | undefined} Nothing for a record of before it was measured.
 */
export function ceilingOf({ ceiling, contestants }) {
  const { operations } = contestants.find(({ name }) => name === OURS);
  if (ceiling === undefined || operations === undefined) return undefined;
  const gflops = summarise(ceiling).median;
  return { gflops, of: (rate) => (rate * operations) / 1e9 / gflops };
}

const percent = (share) => `${(100 * share).toFixed(0)} %`;

/** A line of a matchup: how much of the ceiling each side uses, and what was asked would. */
export function ceilingLines(matchup) {
  const ceiling = ceilingOf(matchup);
  if (ceiling === undefined) return [];
  const lines = standings(matchup);
  const ours = lines.find(({ name }) => name === OURS);
  const share = ceiling.of(ours.median);
  const rest = lines
    .filter(({ asked }) => asked !== undefined)
    .map(({ name, asked, median }) => {
      const needed = ceiling.of(asked.must * median);
      const most = 1 / ceiling.of(median);
      return `${name} ${percent(ceiling.of(median))}, ${asked.must} times that is ${percent(needed)}, and all of it would be ${most.toFixed(2)} times`;
    });
  const { operations } = matchup.contestants.find(({ name }) => name === OURS);
  return [
    `- ${matchup.title}: ${(operations / 1e6).toFixed(0)} MFLOP of products a unit; the multiply-add units do ${ceiling.gflops.toFixed(0)} GFLOP/s. Ours uses ${percent(share)} of them; ${rest.join('; ')}.`,
  ];
}

/** Rates below 100 get a digit behind the point. */
export const rate = (value) => value.toFixed(value < 100 ? 1 : 0);

const settingsOf = (settings = {}) =>
  Object.entries(settings)
    .map(([key, value]) => `${key}: ${value}`)
    .join(', ');

function row(matchup, line, contestant) {
  const { name, asked, median, low, high, ratio } = line;
  const cells = [
    name === OURS ? matchup.title : '',
    name,
    `${rate(median)} ${matchup.unit}`,
    `${rate(low)} to ${rate(high)}`,
    contestant.threads,
    ratio === undefined ? '' : ratio.toFixed(2),
    asked === undefined ? '' : `${asked.must}, ${asked.aim}`,
    line.verdict,
    settingsOf(contestant.settings),
  ];
  return `| ${cells.join(' | ')} |`;
}

const distinct = (list) => [...new Set(list)].sort().join(', ');

/** What was not as it should be while a matchup was measured. */
export function remarks({ title, idle, disturbance, contestants }) {
  const found = [];
  if (!idle) found.push('the cores were not idle at the start');
  if (disturbance > 0.02)
    found.push(`contestants that should sleep used ${(100 * disturbance).toFixed(0)} % of a core`);
  const few = Math.min(...contestants.map(({ blocks }) => blocks.length));
  if (few < 5) found.push(`no figure of speed: ${few} blocks`);
  return found.map((remark) => `- ${title}: ${remark}.`);
}

/** The part on the ceiling; nothing where it was not measured. */
function ceilingSection(matchups) {
  const lines = matchups.flatMap(ceilingLines);
  if (lines.length === 0) return '';
  return `## Where the time goes

What a processor can do at most is measured in turn with the contestants. Products are counted with their zeros, and a program that
computes them all stays below it, whatever it is written in: where \`must\` asks for more than all of it, a miss is the machine's,
and where it asks for less, it is ours. Ours leaves zeros of hidden layers and of observations out, so that its share may be
larger than that of the multiply-adds it does.

${lines.join('\n')}

`;
}

/** README.md of a record. */
export function report({ matchups }) {
  const versions = matchups.flatMap(({ contestants }) =>
    contestants.flatMap((each) => Object.entries(each.versions).map((pair) => pair.join(' '))),
  );
  const rows = matchups.flatMap((matchup) =>
    standings(matchup).map((line) =>
      row(
        matchup,
        line,
        matchup.contestants.find(({ name }) => name === line.name),
      ),
    ),
  );
  const found = matchups.flatMap(remarks);
  const blocks = matchups.flatMap(({ contestants }) => contestants.map((each) => each.blocks));
  const counts = distinct(blocks.map(({ length }) => length));
  const seconds = matchups.map((matchup) => matchup.seconds);
  return `# What people would use instead, measured beside us

${distinct(matchups.map(({ machine }) => `${machine.cpu}, ${machine.cores} cores`))}; ${distinct(
    matchups.map(({ date }) => date),
  )}; commit ${distinct(matchups.map(({ commit }) => commit))}. Made by

${[...new Set(matchups.map(({ command }) => `    ${command}`))].join('\n')}

The contestants of a matchup are processes of their own on the same cores, warm, and take turns block by block (${counts} blocks
each of about ${distinct(seconds)} s); the others sleep. Given are the median, the slowest and the fastest block; the ratio is
that of the medians, ours to theirs. 300x300, batch 128, float32 everywhere. Learners alone begin
with fresh networks and a full buffer of 100,000 transitions: ours are of its task, the peers' are normally distributed. After N
steps, all sides begin with the networks and the transitions of the same run of N steps of ours, and trainers have N steps of
their own behind them; what was asked was asked of fresh networks. Only the ratios can be compared between machines.

| work | | median | blocks | threads | ratio | must, aim | met | settings |
| --- | --- | ---: | ---: | ---: | ---: | --- | --- | --- |
${rows.join('\n')}

![ratios](peers.svg)

${ceilingSection(matchups)}${found.length === 0 ? '' : `${found.join('\n')}\n\n`}Versions: ${distinct(versions)}. Every block is in peers.json.
`;
}
