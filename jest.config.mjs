/** One configuration for every package: TypeScript by swc, ES modules, tests beside the code they judge. */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2023', parser: { syntax: 'typescript', decorators: true } }, module: { type: 'es6' } },
    ],
  },
  testMatch: ['<rootDir>/**/test/**/*.test.ts', '<rootDir>/scenario/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/lib/', '<rootDir>/chaincode/package/', '<rootDir>/.waymark/'],
  modulePathIgnorePatterns: ['<rootDir>/chaincode/package/', '<rootDir>/.waymark/'],
  testTimeout: 30_000,
};
