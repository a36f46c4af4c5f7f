import tseslint from 'typescript-eslint';

// Each folder and the folders above it, which it may not import (STYLE 3.5).
const above = {
  lineage: ['models', 'components', 'dialogs', 'panels', 'plugins'],
  dag: ['models', 'components', 'dialogs', 'panels', 'plugins'],
  api: ['dag', 'lineage', 'models', 'components', 'dialogs', 'panels', 'plugins'],
  models: ['components', 'dialogs', 'panels', 'plugins'],
  components: ['models', 'dialogs', 'panels', 'plugins'],
  dialogs: ['panels', 'plugins'],
  panels: ['plugins']
};
const pure = ['lineage', 'dag', 'components']; // may use the types of the API, not the API

export default tseslint.config(
  {
    ignores: [
      'lib/**',
      'node_modules/**',
      'jupyter_datalake/**',
      'src/api/types.ts',
      'tests/ui/node_modules/**',
      'tests/ui/playwright-report/**',
      'tests/ui/test-results/**',
      '.venv/**',
      '.benchmarks/**',
      'demo/**'
    ]
  },
  ...tseslint.configs.recommended,
  ...tseslint.configs.stylistic,
  {
    files: ['src/**/*.{ts,tsx}'],
    ignores: ['src/__tests__/**'],
    languageOptions: {
      parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname }
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'CallExpression[callee.object.name="Notification"][callee.property.name=/^(info|success|warning|error)$/][arguments.length=1]',
          message: 'JupyterLab lists it unseen: say autoClose, or use tellBriefly'
        }
      ]
    }
  },
  {
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-namespace': 'off', // IOptions live in a namespace named like the class
      '@typescript-eslint/naming-convention': [
        'error',
        { selector: 'interface', format: ['PascalCase'], prefix: ['I'] }
      ],
      curly: ['error', 'all'],
      eqeqeq: 'error',
      'no-console': 'error',
      'prefer-arrow-callback': ['error', { allowNamedFunctions: true }]
    }
  },
  {
    files: ['tests/ui/**/*.js', 'jest.config.js', 'src/__tests__/*.js'],
    rules: {
      '@typescript-eslint/no-require-imports': 'off', // read by Node as they are
      '@typescript-eslint/no-empty-function': 'off'
    }
  },
  {
    files: ['tests/ui/tests/*.spec.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: '@jupyterlab/galata',
              importNames: ['test', 'expect'],
              message: 'from ./fixtures, which looks at the console'
            }
          ]
        }
      ]
    }
  },
  {
    files: ['scripts/**/*.mjs'],
    rules: { 'no-console': 'off' }
  },
  ...Object.entries(above).map(([folder, folders]) => ({
    files: [`src/${folder}/**/*.{ts,tsx}`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: folders.map(one => `**/${one}/**`), message: `above ${folder}/` },
            ...(pure.includes(folder)
              ? [{ group: ['**/api/**', '!**/api/types'], message: 'types only' }]
              : [])
          ]
        }
      ]
    }
  }))
);
