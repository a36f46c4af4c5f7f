/** Unit tests of the front end. JupyterLab ships ES modules, so they are transformed too. */
module.exports = {
  roots: ['<rootDir>/src'],
  testEnvironment: '<rootDir>/src/__tests__/environment.js',
  testMatch: ['<rootDir>/src/__tests__/**/*.spec.ts?(x)'],
  setupFilesAfterEnv: ['<rootDir>/src/__tests__/setup.ts'],
  moduleNameMapper: {
    '\\.css$': '<rootDir>/src/__tests__/style.js'
  },
  transform: {
    '\\.svg$': '<rootDir>/src/__tests__/svg.js',
    '\\.[cm]?[jt]sx?$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', tsx: true },
          transform: { react: { runtime: 'classic' } },
          target: 'es2022'
        }
      }
    ]
  },
  transformIgnorePatterns: [
    '/node_modules/(?!(@jupyter|@jupyterlab|@lumino|@microsoft|@rjsf|lib0|yjs|y-protocols|nanoid|marked|exenv-es6|@lezer|@codemirror|crelt|style-mod|w3c-keyname|yaml)/)'
  ],
  coverageProvider: 'v8'
};
