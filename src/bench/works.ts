/** What is measured: gradient steps, environment steps with the policy, or one of each in turn. */
export const WORKS = ['update', 'env', 'train'] as const;
export type Work = (typeof WORKS)[number];
