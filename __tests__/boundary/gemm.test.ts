/** Which matrix product a machine computes with: measured once, kept. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { resolveConfig } from '../../src/config/resolve.js';
import { GEMMS } from '../../src/config/schema.js';
import { loadAddon } from '../../src/native/addon.js';
import { fastest, gemmOf, keptGemm } from '../../src/native/gemm.js';

const speeds = (own: number, gemm: number, matrixmultiply: number) => ({
  fmaGflops: 200,
  gemms: [
    { name: 'own', gflops: own },
    { name: 'gemm', gflops: gemm },
    { name: 'matrixmultiply', gflops: matrixmultiply },
  ],
});

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'virel-gemm-'));
  file = join(folder, 'addon', 'gemm.json');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the candidate of a machine', () => {
  it.each([
    { given: [100, 90, 80], name: 'own' },
    { given: [100, 120, 80], name: 'own' },
    { given: [100, 121, 80], name: 'gemm' },
    { given: [100, 130, 140], name: 'matrixmultiply' },
  ])(
    'at speeds of $given is $name: another must be 20 % faster than our own',
    ({ given, name }) => {
      const [own = 0, gemm = 0, matrixmultiply = 0] = given;
      expect(fastest(speeds(own, gemm, matrixmultiply))).toBe(name);
    },
  );

  it('is measured once for a processor and kept', () => {
    let measured = 0;
    const measure = (own: number) => () => {
      measured += 1;
      return speeds(own, 100, 0);
    };
    expect(keptGemm(file, 'one', measure(50))).toBe('gemm');
    // what is faster now changes nothing
    expect(keptGemm(file, 'one', measure(200))).toBe('gemm');
    expect(measured).toBe(1);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ cpu: 'one', chosen: 'gemm' });
    expect(keptGemm(file, 'another', measure(200))).toBe('own');
    expect(measured).toBe(2);
  });

  it.each(['{', '[]', '{"cpu": "one", "chosen": "cublas"}'])(
    'is measured again where %s is kept',
    (text) => {
      writeFileSync(file, text);
      expect(keptGemm(file, 'one', () => speeds(1, 2, 3))).toBe('matrixmultiply');
      expect(keptGemm(file, 'one', () => speeds(3, 2, 1))).toBe('matrixmultiply');
    },
  );

  it('is our own where nothing can be kept', () => {
    const taken = join(folder, 'taken');
    mkdirSync(join(taken, 'gemm.json'), { recursive: true });
    expect(keptGemm(join(taken, 'gemm.json'), 'one', () => speeds(1, 2, 3))).toBe('own');
  });
});

describe('the product of a config', () => {
  it('is what it says, one of the candidates without, and none on the other engine', () => {
    expect(gemmOf(resolveConfig({ runtime: { gemm: 'matrixmultiply' } }))).toBe('matrixmultiply');
    expect(GEMMS).toContain(gemmOf(resolveConfig()));
    expect(gemmOf(resolveConfig({ engine: 'tensor' }))).toBeNull();
  });

  it('is one that the addon has, which it measures all', () => {
    const { fmaGflops, gemms } = loadAddon().calibrate(0.01);
    expect(gemms.map(({ name }) => name)).toEqual([...GEMMS]);
    for (const { gflops } of gemms) expect(gflops).toBeGreaterThan(0);
    expect(fmaGflops).toBeGreaterThan(0);
    for (const seconds of [0, -1, Number.NaN, 61])
      expect(() => loadAddon().calibrate(seconds)).toThrow(
        expect.objectContaining({ code: 'CONFIG_RANGE' }),
      );
  });
});
