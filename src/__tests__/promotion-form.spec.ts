import type * as api from '../api/types';
import {
  changedInput,
  formOf,
  plainParameters,
  problemsOf,
  specOf
} from '../models/promotion-form';

const DRAFT: api.Draft = {
  spec: {
    pipeline: 'counts',
    notebook: 'count.ipynb',
    parameters: { customers: 'elsewhere', factor: 2 }
  },
  folder: '',
  parameters: [
    { name: 'customers', type: 'str', default: 'elsewhere', help: '' },
    { name: 'factor', type: 'int', default: 2, help: '' }
  ],
  notes: [],
  exists: false
} as unknown as api.Draft;

const CUSTOMERS = { name: 'customers', repo: 'customers', branch: 'main', glob: '/' };

describe('the promotion form', () => {
  it('begins as the draft says', () => {
    const form = formOf(DRAFT);
    expect(form.fields.name).toBe('counts');
    expect(form.values).toEqual({ customers: 'elsewhere', factor: '2' });
    expect(problemsOf(form, DRAFT)).toEqual({});
  });

  it('gives a parameter up to the input that is named like it', () => {
    const form = { ...formOf(DRAFT), inputs: [CUSTOMERS] };
    expect(plainParameters(form, DRAFT).map(one => one.name)).toEqual(['factor']);
    expect(specOf(form, DRAFT).parameters).toEqual({ factor: 2 });
  });

  it('says again what it has no field for', () => {
    const spec = {
      pipeline: 'counts',
      description: 'what is counted',
      notebook: 'count.ipynb',
      input: {
        cross: [{ repo: { name: 'customers', glob: '/*.csv' } }, { cron: { schedule: '@daily' } }]
      },
      parameters: { factor: 2 },
      egress: { table: 'COUNTS' }
    };
    const draft = { ...DRAFT, spec, exists: true };
    const form = formOf(draft);
    expect(form.fields.description).toBe('what is counted');
    expect(specOf(form, draft)).toEqual(spec);
  });

  it('lets the paths in the code follow the inputs', () => {
    const spec = {
      ...DRAFT.spec,
      input: { repo: { name: 'customers', glob: '/' } },
      paths: { '../lake/customers': 'customers', 'a.csv': 'customers/a.csv', plots: 'out/plots/' }
    };
    const draft = { ...DRAFT, spec };
    const form = formOf(draft);
    expect(specOf(form, draft).paths).toEqual(spec.paths);
    const inputs = form.inputs.map(one => changedInput(one, { name: 'people' }));
    expect(specOf({ ...form, inputs }, draft).paths).toEqual({
      '../lake/customers': 'people',
      'a.csv': 'people/a.csv',
      plots: 'out/plots/'
    });
    expect(specOf({ ...formOf(draft), inputs: [] }, draft).paths).toEqual({ plots: 'out/plots/' });
  });

  it('tells paths apart while two inputs have one name for a moment', () => {
    const [a, ab] = ['a', 'ab'].map(name => ({ repo: { name, glob: '/' } }));
    const spec = {
      pipeline: 'p',
      input: { cross: [a, ab] },
      notebook: 'p.ipynb',
      paths: { '../lake/a': 'a', '../lake/ab': 'ab' }
    };
    const draft = { ...DRAFT, spec, parameters: [] };
    let form = formOf(draft);
    for (const name of ['a', '', 'b', 'bc']) {
      const inputs = form.inputs.map((one, at) => (at === 1 ? changedInput(one, { name }) : one));
      form = { ...form, inputs };
    }
    expect(specOf(form, draft).paths).toEqual({ '../lake/a': 'a', '../lake/ab': 'bc' });
  });

  it('keeps an input that it has no fields for', () => {
    const join = [
      { repo: { name: 'customers', glob: '/(*).csv', on: '$1' } },
      { repo: { name: 'factor', glob: ['/(*).csv', '!/tmp'], on: '$1' } }
    ];
    const spec = {
      pipeline: 'counts',
      notebook: 'count.ipynb',
      input: { join },
      datums: { batch: 10 }
    };
    const draft = { ...DRAFT, spec } as unknown as api.Draft;
    expect(formOf(draft).inputs).toEqual([]);
    expect(plainParameters(formOf(draft), draft)).toEqual([]);
    expect(specOf(formOf(draft), draft)).toEqual(spec);
  });

  it('finds what is typed wrongly, and leaves it out of the spec', () => {
    const form = { ...formOf(DRAFT), values: { customers: 'x', factor: 'two' } };
    expect(problemsOf(form, DRAFT)).toEqual({ 'parameters.factor': 'int' });
    expect(specOf(form, DRAFT).parameters).toEqual({ customers: 'x' });
  });

  it('refuses inputs that cannot be', () => {
    const inputs = [
      { ...CUSTOMERS, repo: 'counts' },
      { ...CUSTOMERS, glob: '' },
      { ...CUSTOMERS, repo: '', name: '' }
    ];
    expect(problemsOf({ ...formOf(DRAFT), inputs }, DRAFT)).toEqual({
      'input[0].repo': 'cycle',
      'input[1].glob': 'missing',
      'input[1].name': 'duplicate',
      'input[2].repo': 'missing'
    });
  });
});
