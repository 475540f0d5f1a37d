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
that of the medians, ours to theirs. 300x300, batch 128, float32 everywhere. Learners alone sample from a full buffer of
100,000 transitions. Only the ratios can be compared between machines.

| work | | median | blocks | threads | ratio | must, aim | met | settings |
| --- | --- | ---: | ---: | ---: | ---: | --- | --- | --- |
${rows.join('\n')}

![ratios](peers.svg)

${found.length === 0 ? '' : `${found.join('\n')}\n\n`}Versions: ${distinct(versions)}. Every block is in peers.json.
`;
}
