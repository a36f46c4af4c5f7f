import { argumentProblems, argumentsOf, typedArguments, valuesOf } from '../template-form';

const SCHEMA = {
  type: 'object',
  required: ['source', 'rate'],
  properties: {
    source: { type: 'string', description: 'What is read', examples: ['raw', 'clean'] },
    rate: { type: 'number' },
    days: { type: 'integer', default: 30, minimum: 1 },
    mode: { enum: ['fast', 2], default: 'fast' },
    verbose: { type: 'boolean', default: true },
    columns: { type: 'array', items: { type: 'string' }, default: ['id', 'name'] },
    sizes: { type: 'array', items: { type: 'integer' }, default: [] }
  }
};

describe('the form of a template', () => {
  const given = argumentsOf(SCHEMA);
  const atFirst = typedArguments(given);

  it('has a field for each argument, with its default', () => {
    expect(given.map(one => [one.name, one.kind, one.isRequired])).toEqual([
      ['source', 'str', true],
      ['rate', 'float', true],
      ['days', 'int', false],
      ['mode', 'choice', false],
      ['verbose', 'bool', false],
      ['columns', 'list', false],
      ['sizes', 'list', false]
    ]);
    expect(given[0]).toMatchObject({ help: 'What is read', choices: ['raw', 'clean'] });
    expect(atFirst).toEqual({
      source: '',
      rate: '',
      days: '30',
      mode: '"fast"',
      verbose: true,
      columns: 'id\nname',
      sizes: ''
    });
    expect(argumentProblems(given, atFirst)).toEqual({ source: 'missing', rate: 'missing' });
  });

  it('gives values of their types', () => {
    const fields = { ...atFirst, source: 'raw', rate: '0.5', mode: '2', sizes: '1\n\n 2 \n' };
    expect(argumentProblems(given, fields)).toEqual({});
    expect(valuesOf(given, fields)).toEqual({
      source: 'raw',
      rate: 0.5,
      days: 30,
      mode: 2,
      verbose: true,
      columns: ['id', 'name'],
      sizes: [1, 2]
    });
  });

  it('leaves out what is left empty and has a default', () => {
    expect(valuesOf(given, { ...atFirst, days: '', columns: '' })).toEqual({
      mode: 'fast',
      verbose: true,
      columns: [],
      sizes: []
    });
  });

  it('tells what is no such value', () => {
    const fields = { ...atFirst, source: 'raw', rate: 'high', days: '1.5', sizes: '1\ntwo' };
    expect(argumentProblems(given, fields)).toEqual({ rate: 'float', days: 'int', sizes: 'list' });
  });
});
