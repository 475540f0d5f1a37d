// Completes package-lock.json after `npm install` from a registry that lacks some platforms' binaries: npm then
// leaves their entries out, and its own `npm ci` refuses the file. An entry made here has no `integrity`.
// `--check` changes nothing and fails if entries are missing.
import { readFileSync, writeFileSync } from 'node:fs';

const file = 'package-lock.json';
const systems = {
  android: 'android',
  darwin: 'darwin',
  freebsd: 'freebsd',
  linux: 'linux',
  netbsd: 'netbsd',
  openbsd: 'openbsd',
  openharmony: 'openharmony',
  sunos: 'sunos',
  win32: 'win32',
  fsevents: 'darwin',
};
const processors = {
  arm: 'arm',
  arm64: 'arm64',
  ia32: 'ia32',
  loong64: 'loong64',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  universal: undefined,
  wasm32: 'wasm32',
  x64: 'x64',
};
const libraries = { gnu: 'glibc', gnueabihf: 'glibc', musl: 'musl', musleabihf: 'musl' };

const lock = JSON.parse(readFileSync(file, 'utf8'));
const missing = missingEntries(lock.packages);
const count = Object.keys(missing).length;
if (count === 0) {
  console.log(`${file} is complete`);
} else if (process.argv.includes('--check')) {
  console.error(`${file} lacks ${count} entries; run: node scripts/complete-lock.mjs`);
  process.exitCode = 1;
} else {
  const all = Object.entries({ ...lock.packages, ...missing });
  // npm's own order
  all.sort(([one], [other]) => one.localeCompare(other, 'en'));
  lock.packages = Object.fromEntries(all);
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`${file}: ${count} entries added`);
}

/** Entries for optional packages that are named but absent, read off the name. */
function missingEntries(packages) {
  const entries = {};
  for (const [owner, { optionalDependencies = {}, dev }] of Object.entries(packages))
    for (const [name, range] of Object.entries(optionalDependencies)) {
      if (isThere(packages, owner, name)) continue;
      const { os, cpu, libc } = platform(name);
      // npm's own order of keys, so that its next write changes nothing
      entries[`node_modules/${name}`] = {
        version: range.replace(/^[^\d]*/, ''),
        ...(cpu && { cpu: [cpu] }),
        ...(dev && { dev }),
        ...(libc && { libc: [libc] }),
        optional: true,
        ...(os && { os: [os] }),
      };
    }
  return entries;
}

/** Whether Node would find `name` from the package at `owner`: inside it, or beside a package around it. */
function isThere(packages, owner, name) {
  const folders = owner.split(/(?:^|\/)node_modules\//);
  return folders.some((_, depth) => {
    const around = folders.slice(1, depth + 1).map((folder) => `node_modules/${folder}/`);
    return packages[`${around.join('')}node_modules/${name}`] !== undefined;
  });
}

/** What npm would read in the package itself. */
function platform(name) {
  const words = name.split(/[-/]/);
  const pick = (table) => words.map((word) => table[word]).find((value) => value !== undefined);
  return { os: pick(systems), cpu: pick(processors), libc: pick(libraries) };
}
