import {
  codeOf,
  cronInputs,
  inputOf,
  isPlainInput,
  repoInputs,
  toYaml,
  variableName
} from '../specs';

const FEATURES = {
  pipeline: 'features',
  input: {
    cross: [
      { repo: { name: 'clean', branch: 'main', glob: '/*.parquet' } },
      { repo: { name: 'team/days-off', branch: 'dev', glob: '/', as: 'calendar' } },
      { cron: { schedule: '@daily' } }
    ]
  },
  notebook: 'features.ipynb'
};

describe('reading a spec', () => {
  it('finds the repos among the inputs', () => {
    expect(repoInputs(FEATURES)).toEqual([
      { name: 'clean', repo: 'clean', branch: 'main', glob: '/*.parquet' },
      { name: 'calendar', repo: 'team/days-off', branch: 'dev', glob: '/' }
    ]);
    expect(repoInputs({ pipeline: 'x' })).toEqual([]);
  });

  it('finds them in every combination, and tells which a form can show', () => {
    const repo = { name: 'raw', glob: ['/**', '!/tmp'] };
    const union = {
      union: [{ group: [{ repo }] }, { join: [{ repo: { name: 'b', glob: '/' } }] }]
    };
    expect(repoInputs({ input: union }).map(one => [one.repo, one.glob])).toEqual([
      ['raw', '/** !/tmp'],
      ['b', '/']
    ]);
    expect(isPlainInput({ input: union })).toBe(false);
    expect(isPlainInput({ input: { repo } })).toBe(false);
    expect(isPlainInput(FEATURES)).toBe(true);
    expect(isPlainInput({})).toBe(true);
  });

  it('finds the clocks', () => {
    expect(cronInputs(FEATURES)).toEqual([{ name: 'tick', schedule: '@daily', zone: 'UTC' }]);
  });

  it('tells what is run', () => {
    expect(codeOf(FEATURES)).toEqual({ kind: 'notebook', text: 'features.ipynb' });
    expect(codeOf({ command: ['python', 'x.py'] }).text).toBe('python x.py');
    expect(codeOf({ ingest: { query: 'select 1' } })).toEqual({ kind: 'ingest', text: 'select 1' });
  });

  it('names variables as the server does', () => {
    expect(variableName('team/daily-sales.eu')).toBe('daily_sales_eu');
    expect(variableName('2024')).toBe('_2024');
  });
});

describe('writing a spec', () => {
  it('leaves out what is the default', () => {
    const input = { name: 'clean', repo: 'clean', branch: 'main', glob: '/' };
    expect(inputOf([])).toBeUndefined();
    expect(inputOf([input])).toEqual({ repo: { name: 'clean', glob: '/' } });
    expect(inputOf([input, { ...input, name: 'old', branch: 'dev' }])).toEqual({
      cross: [
        { repo: { name: 'clean', glob: '/' } },
        { repo: { name: 'clean', branch: 'dev', glob: '/', as: 'old' } }
      ]
    });
  });

  it('writes YAML as people do', () => {
    expect(toYaml({ ...FEATURES, parameters: { days: 30, names: ['a', 'on'], no: {} } })).toBe(
      [
        'pipeline: features',
        'input:',
        '  cross:',
        '    - repo:',
        '        name: clean',
        '        branch: main',
        '        glob: "/*.parquet"',
        '    - repo:',
        '        name: team/days-off',
        '        branch: dev',
        '        glob: /',
        '        as: calendar',
        '    - cron:',
        '        schedule: "@daily"',
        'notebook: features.ipynb',
        'parameters:',
        '  days: 30',
        '  names: [a, "on"]',
        '  "no": {}',
        ''
      ].join('\n')
    );
  });

  it.each([
    ['', '""'],
    ['yes', '"yes"'],
    ['3', '"3"'],
    ['a: b', '"a: b"'],
    ['# no comment', '"# no comment"'],
    ['two words', 'two words'],
    ['tab\there', '"tab\\there"']
  ])('quotes %j where it must', (value, written) => {
    expect(toYaml({ value })).toBe(`value: ${written}\n`);
  });

  it('writes lines as a block', () => {
    expect(toYaml({ query: 'select *\nfrom t\n', next: 1 })).toBe(
      'query: |\n  select *\n  from t\nnext: 1\n'
    );
    expect(toYaml({ query: 'select *\n  from t' })).toBe('query: "select *\\n  from t"\n');
  });
});
