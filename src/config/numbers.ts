/** Numbers of the schema by their range; upper limits refuse slips of the keyboard, not experiments. */
import * as z from 'zod';

/** More environment steps than any run has. */
export const MOST_STEPS = 1e12;

/** A whole number of at least 1. */
export const count = (description: string, limit: number) =>
  z.int().min(1).max(limit).meta({ description });

/** A whole number of at least 0. */
export const countOrZero = (description: string, limit: number) =>
  z.int().min(0).max(limit).meta({ description });

/** A step size or share in (0, 1]. */
export const rate = (description: string) => z.number().gt(0).max(1).meta({ description });

/** A factor that may switch its term off: at least 0. */
export const factor = (description: string) => z.number().min(0).max(1e6).meta({ description });

/** A number that is divided by, or whose logarithm is taken: more than 0. */
export const positive = (description: string) => z.number().gt(0).max(1e6).meta({ description });
