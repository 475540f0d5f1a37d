/**
 * Integrals of smooth functions on an interval by the rule of Gauss and Legendre, panel by panel.
 *
 * Ten points are exact for polynomials of degree 19; a density of width σ wants panels no wider than about 2σ.
 */

const POINTS = 10;

/** Roots of the Legendre polynomial of a degree by Newton's method, with their weights. */
function legendreRule(degree: number): { node: number; weight: number }[] {
  return Array.from({ length: degree }, (_, i) => {
    let node = Math.cos((Math.PI * (i + 0.75)) / (degree + 0.5));
    let slope = 0;
    for (let round = 0; round < 8; round++) {
      const { value, derivative } = legendre(degree, node);
      slope = derivative;
      node -= value / derivative;
    }
    slope = legendre(degree, node).derivative;
    return { node, weight: 2 / ((1 - node ** 2) * slope ** 2) };
  });
}

/** P_n(x) and its derivative, by the recurrence of three terms. */
function legendre(degree: number, x: number): { value: number; derivative: number } {
  let [before, value] = [1, x];
  for (let n = 2; n <= degree; n++) {
    [before, value] = [value, ((2 * n - 1) * x * value - (n - 1) * before) / n];
  }
  return { value, derivative: (degree * (x * value - before)) / (x ** 2 - 1) };
}

const RULE = legendreRule(POINTS);

/** ∫ f over [low, high] in `panels` equal parts. */
export function integrate(
  f: (x: number) => number,
  [low, high]: readonly [number, number],
  panels = 200,
): number {
  const half = (high - low) / panels / 2;
  let sum = 0;
  for (let panel = 0; panel < panels; panel++) {
    const centre = low + (2 * panel + 1) * half;
    for (const { node, weight } of RULE) sum += weight * f(centre + half * node);
  }
  return half * sum;
}
