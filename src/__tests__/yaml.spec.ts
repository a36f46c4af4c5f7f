import { toYaml } from '../specs';
import { readYaml } from '../yaml';

describe('reading YAML', () => {
  it('reads what is written', () => {
    const spec = {
      pipeline: 'counts',
      input: { cross: [{ repo: { name: 'raw', on: '$1' } }, { cron: { schedule: '@daily' } }] },
      parameters: { text: 'yes', note: 'a: b\n  c', rate: 0.5, none: null, list: [1, 'on'] }
    };
    expect(readYaml(toYaml(spec))).toEqual({ value: spec });
  });

  it('tells the line that is wrong', () => {
    expect(readYaml('a: 1\nb: [1, 2\nc: 3\n')).toMatchObject({ line: 3 });
    expect(readYaml('a: 1\na: 2\n')).toMatchObject({ problem: expect.stringMatching(/unique/) });
  });

  it('refuses what is no map, and what would become too much', () => {
    expect(readYaml('- 1')).toEqual({ problem: '', line: null });
    expect(readYaml('')).toEqual({ problem: '', line: null });
    const levels = [...'bcdefgh'].map(
      (name, at) => `${name}: &${name} [${`*${'abcdefg'[at]}, `.repeat(10)}]`
    );
    expect(readYaml(['a: &a [1]', ...levels].join('\n'))).toMatchObject({
      problem: expect.stringMatching(/alias/)
    });
  });
});
