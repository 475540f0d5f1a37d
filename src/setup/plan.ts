import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { freeMegabytes } from './disk.js';
import { readManifest } from './manifest.js';
import { cargoMegabytes, cudaMegabytes, prunableMegabytes, type Wheel } from './parts.js';
import type { Places } from './places.js';
import { missingWheels } from './wheels.js';

/** What is missing, and what getting it costs. */
export interface Plan {
  /** The wheels to fetch. */
  wheels: readonly Wheel[];
  build: boolean;
  /** Download, and disk at its fullest and afterwards, MB. */
  download: number;
  disk: number;
  keeps: number;
}

/** What is missing here and what it costs. */
export function planSetup(places: Places, force = false): Plan {
  const wheels = force ? places.wheels : missingWheels(places);
  const build =
    force ||
    // the addon does not hold the models
    wheels.some(({ replacedBy }) => replacedBy !== 'VIREL_MODELS') ||
    !existsSync(places.addon) ||
    readManifest(places.manifest) === undefined;
  const sum = (pick: (wheel: Wheel) => number) =>
    wheels.reduce((total, wheel) => total + pick(wheel), 0);
  const torch = wheels.some(({ name }) => name === 'torch');
  const cuda = places.device === 'cuda' && torch ? cudaMegabytes : { download: 0, unpacked: 0 };
  const wheelBytes = sum((wheel) => wheel.megabytes) + cuda.download;
  const unpacked = sum((wheel) => wheel.unpackedMegabytes) + cuda.unpacked;
  const pruned = torch && places.device === 'cpu' ? prunableMegabytes : 0;
  return {
    wheels,
    build,
    download: wheelBytes + (build ? cargoMegabytes.download : 0),
    disk: wheelBytes + unpacked,
    keeps: unpacked - pruned,
  };
}

/** The plan in words, the sizes of every download included. */
export function describePlan(places: Places, plan: Plan, free = freeMegabytes): string[] {
  const home = places.home.replace(homedir(), '~');
  const fetch = plan.wheels.length > 0;
  if (!fetch && !plan.build) return [`virel-native: native parts are in place in ${home}`];
  const title = fetch
    ? 'native parts missing; setting up once'
    : 'building the addon of these sources';
  const parts = plan.wheels.map((wheel) => `${wheel.name} ${wheel.version} ${wheel.megabytes}`);
  if (places.device === 'cuda' && plan.wheels.some(({ name }) => name === 'torch'))
    parts.push(`NVIDIA libraries ~${cudaMegabytes.download}`);
  if (plan.build) parts.push(`crates ~${cargoMegabytes.download} (unless cargo has them)`);
  const lines = [
    `virel-native: ${title} in ${home} (Ctrl-C is safe, rerun resumes)`,
    `  download ${megabytes(plan.download)} MB: ${parts.join(' | ')}`,
  ];
  const available = `free ${gigabytes(free(places.home))}`;
  const compile = 'some minutes of compiling the first time, up to 1.9 GB of memory';
  if (fetch)
    lines.push(
      `  disk ${gigabytes(plan.disk)} while unpacking, ${gigabytes(plan.keeps)} kept (${available})`,
    );
  return plan.build ? [...lines, `  then ${compile}`] : lines;
}

function megabytes(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}

function gigabytes(megabytes: number): string {
  return `${(megabytes / 1000).toFixed(1)} GB`;
}
