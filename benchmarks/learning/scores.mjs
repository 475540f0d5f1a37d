/** What a run is worth: one number from its evaluations, never the maximum. */

const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length;

/** Mean of the evaluations in the last 10 % of `steps`, as `finalScore` of the summary. */
export const finalScore = (evaluations, steps) =>
  mean(evaluations.filter(({ step }) => step > 0.9 * steps).map((each) => each.return_mean));

/** Mean of the last three evaluations. */
export const lastThree = (evaluations) =>
  mean(evaluations.slice(-3).map((each) => each.return_mean));
