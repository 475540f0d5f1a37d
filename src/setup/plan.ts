import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { freeMegabytes } from './disk.js';
import { readManifest } from './manifest.js';
import { cargoMegabytes, cudaMegabytes, prunableMegabytes } from './parts.js';
import type { Places } from './places.js';
import { wheelsReady } from './wheels.js';

/** What is missing, and what getting it costs. */
export interface Plan {
  fetch: boolean;
  build: boolean;
  /** Download, and disk at its fullest and afterwards, MB. */
  download: number;
  disk: number;
  keeps: number;
}

/** What is missing here and what it costs. */
export function planSetup(places: Places, force = false): Plan {
  const fetch = places.wheels.length > 0 && (force || !wheelsReady(places));
  const build =
    force || fetch || !existsSync(places.addon) || readManifest(places.manifest) === undefined;
  const sum = (pick: (wheel: Places['wheels'][number]) => number) =>
    fetch ? places.wheels.reduce((total, wheel) => total + pick(wheel), 0) : 0;
  const cuda = places.device === 'cuda' && fetch ? cudaMegabytes : { download: 0, unpacked: 0 };
  const wheelBytes = sum((wheel) => wheel.megabytes) + cuda.download;
  const unpacked = sum((wheel) => wheel.unpackedMegabytes) + cuda.unpacked;
  const torch = fetch && places.wheels.some((wheel) => wheel.name === 'torch');
  const pruned = torch && places.device === 'cpu' ? prunableMegabytes : 0;
  return {
    fetch,
    build,
    download: wheelBytes + (build ? cargoMegabytes.download : 0),
    disk: wheelBytes + unpacked,
    keeps: unpacked - pruned,
  };
}

/** The plan in words, the sizes of every download included. */
export function describePlan(places: Places, plan: Plan, free = freeMegabytes): string[] {
  const home = places.home.replace(homedir(), '~');
  if (!plan.build) return [`virel-native: native parts are in place in ${home}`];
  const title = plan.fetch
    ? 'native parts missing; setting up once'
    : 'building the addon of these sources';
  const parts = plan.fetch
    ? places.wheels.map((wheel) => `${wheel.name} ${wheel.version} ${wheel.megabytes}`)
    : [];
  if (plan.fetch && places.device === 'cuda')
    parts.push(`NVIDIA libraries ~${cudaMegabytes.download}`);
  parts.push(`crates ~${cargoMegabytes.download} (unless cargo has them)`);
  const lines = [
    `virel-native: ${title} in ${home} (Ctrl-C is safe, rerun resumes)`,
    `  download ${Math.round(plan.download)} MB: ${parts.join(' | ')}`,
  ];
  const available = `free ${gigabytes(free(places.home))}`;
  const compile = 'some minutes of compiling the first time, up to 1.9 GB of memory';
  if (plan.fetch)
    lines.push(
      `  disk ${gigabytes(plan.disk)} while unpacking, ${gigabytes(plan.keeps)} kept (${available})`,
    );
  return [...lines, `  then ${compile}`];
}

function gigabytes(megabytes: number): string {
  return `${(megabytes / 1000).toFixed(1)} GB`;
}
