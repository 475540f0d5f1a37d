// Builds the page of `watch` from src/watch/page into dist/watch-page: script and style bundled with three.js, uPlot and
// MuJoCo's glue, MuJoCo's WebAssembly beside them. Where esbuild is missing (an install without development
// dependencies) nothing is done: training needs no page, and an installed package holds it.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const from = 'src/watch/page';
const out = 'dist/watch-page';

/** Functions that MuJoCo's glue makes from text, and plain ones of the same meaning. */
const PLAIN = [
  [
    'var invokerFn = new Function(...args, invokerFnBody)(...closureArgs);',
    `var firstArg = isClassMethodFunc ? 1 : 2;
      var invokerFn = function (...given) {
        checkArgCount(given.length, minArgs, expectedArgCount, humanName, throwBindingError);
        var destructors = needsDestructorStack ? [] : null;
        var wired = isClassMethodFunc ? [argTypes[1].toWireType(destructors, this)] : [];
        for (var i = 0; i < expectedArgCount; ++i) wired.push(argTypes[i + 2].toWireType(destructors, given[i]));
        var rv = cppInvokerFunc(cppTargetFunc, ...wired);
        if (needsDestructorStack) runDestructors(destructors);
        else for (var i = firstArg; i < argCount; ++i) argTypes[i].destructorFunction?.(wired[i - firstArg]);
        if (returns) return argTypes[0].fromWireType(rv);
      };`,
  ],
  [
    'var invokerFunction = new Function(...params, functionBody)(...args);',
    `var invokerFunction = function (obj, func, destructorsRef, given) {
        var read = [];
        var at = given;
        for (var i = 0; i < argCount; ++i) {
          read.push(types[i].readValueFromPointer(at));
          at += types[i].argPackAdvance;
        }
        var rv = kind === 1 ? new func(...read) : kind === 0 ? func.call(obj, ...read) : func.call(...read);
        if (!retType.isVoid) return emval_returnValue(retType, destructorsRef, rv);
      };`,
  ],
];

if (existsSync('node_modules/esbuild')) await build();
else console.error('the page of watch is not built: esbuild, a development dependency, is missing');

async function build() {
  const { build: bundle } = await import('esbuild');
  mkdirSync(out, { recursive: true });
  await bundle({
    entryPoints: { page: `${from}/main.ts` },
    outdir: out,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'warning',
    // what only Node takes of MuJoCo's glue
    external: ['module'],
    plugins: [{ name: 'mujoco', setup: withoutCompiler }],
  });
  for (const name of ['index.html', 'icon.svg']) copyFileSync(`${from}/${name}`, `${out}/${name}`);
  copyFileSync('node_modules/@mujoco/mujoco/mujoco.wasm', `${out}/mujoco.wasm`);
  writeFileSync(`${out}/licences.txt`, licences());
}

/**
 * MuJoCo's glue makes its functions from text, which a page that forbids `eval` must not allow. Both places have a plain
 * function of the same meaning here; another version of the glue that lacks them stops the build.
 */
function withoutCompiler(setup) {
  setup.onLoad({ filter: /@mujoco[/\\]mujoco[/\\]mujoco\.js$/ }, ({ path }) => {
    let contents = readFileSync(path, 'utf8');
    for (const [text, plain] of PLAIN) {
      if (contents.split(text).length !== 2)
        throw new Error(`mujoco.js is not as expected: ${text}`);
      contents = contents.replace(text, () => plain);
    }
    return { contents, loader: 'js' };
  });
}

/** The terms of what is bundled. */
function licences() {
  const packages = [
    ['three', 'LICENSE'],
    ['uplot', 'LICENSE'],
    ['@mujoco/mujoco', undefined],
  ];
  return packages
    .map(([name, file]) => {
      const folder = `node_modules/${name}`;
      const { version, license, homepage } = JSON.parse(readFileSync(`${folder}/package.json`));
      const text = file === undefined ? homepage : readFileSync(`${folder}/${file}`, 'utf8');
      return `${name} ${version}, ${license}\n\n${text.trim()}\n`;
    })
    .join('\n----\n\n');
}
