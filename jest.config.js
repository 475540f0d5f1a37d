export default {
  testEnvironment: 'node',
  // jest leaves a core idle, for whoever watches; with both of two cores the tests take a third less time
  maxWorkers: '100%',
  // a test that hangs shall end; none says anything of speed, on a machine that others use
  testTimeout: 60_000,
  roots: ['<rootDir>/src', '<rootDir>/__tests__'],
  testMatch: ['<rootDir>/__tests__/**/*.test.ts'],
  // those want a cluster: npm run test:slurm
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/__tests__/slurm/'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        sourceMaps: 'inline',
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'es6' },
      },
    ],
  },
  collectCoverageFrom: ['src/**/*.ts'],
  coverageProvider: 'v8',
};
