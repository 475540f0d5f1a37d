/** What a reader of a comparison must know. */
import type { ComparisonWarning } from './comparison.js';
import type { TaskScores } from './normalise.js';

/** Seeds below which a claim is weak, and those of a headline (Henderson et al. 2018, Agarwal et al. 2021). */
const SEEDS = { claim: 5, headline: 10 } as const;

/** Which groups have few seeds on a task. */
function fewSeeds({ task, groups }: TaskScores): ComparisonWarning[] {
  const few = groups.filter(({ runs }) => runs.length < SEEDS.claim);
  if (few.length === 0) return [];
  const counts = few.map(({ name, runs }) => `${name} ${runs.length}`).join(', ');
  const needed = `claims need ${SEEDS.claim}, headlines ${SEEDS.headline}`;
  return [{ code: 'FEW_SEEDS', message: `seeds on ${task}: ${counts}; ${needed}` }];
}

/** @param absent Groups that are left out over all tasks. */
export const warningsOf = (
  tasks: readonly TaskScores[],
  absent: readonly string[],
): ComparisonWarning[] => [
  ...tasks.flatMap(fewSeeds),
  ...absent.map((name) => ({
    code: 'TASK_MISSING' as const,
    message: `${name} has no runs on some of the tasks; over all tasks it is left out`,
  })),
];
