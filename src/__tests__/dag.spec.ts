import type * as api from '../api/types';
import { dagGraph, dagSteps, mayRead, problemsOf } from '../dag/graph';
import { addInput, proposedVariable, removeInputs, renameRepo, repoLeaves } from '../dag/inputs';
import { OutOfReachError, withinFolder } from '../dag/placing';
import type { IStep } from '../dag/spec-text';
import { readSteps, withNewStep, withoutStep, withSpec, withStepText } from '../dag/spec-text';
import { layout } from '../lineage/layout';
import { specOfStep, stepForm } from '../models/step-form';

const TEXT = `# our nightly DAG
---
# cleans
pipeline: clean   # the first
input:
  repo: {name: raw, glob: /*}  # every file
notebook: clean.ipynb
parameters:
  word: "yes"
---
pipeline: count
input:
  repo:
    name: clean
    glob: /
command: [wc, -l]
`;

function steps(text: string) {
  return dagSteps(readSteps(text));
}

function step(text: string, index: number): IStep {
  return readSteps(text)[index] as IStep;
}

describe('a text of specs', () => {
  it('is read document by document, without those that hold only comments', () => {
    expect(readSteps(TEXT).map(one => one.spec?.pipeline)).toEqual(['clean', 'count']);
    expect(readSteps('')).toEqual([]);
    expect(readSteps('# nothing\n---\n\n---\n')).toEqual([]);
    expect(readSteps('--- {pipeline: a}\n---\npipeline: b').map(one => one.spec?.pipeline)).toEqual(
      ['a', 'b']
    );
  });

  it('tells the line of what cannot be read, and reads the others', () => {
    const broken = TEXT.replace('notebook: clean.ipynb', 'notebook: [clean');
    const [first, second] = readSteps(broken);
    expect(first?.spec).toBeNull();
    expect(first?.problem?.line).toBeGreaterThanOrEqual(7);
    expect(first?.problem?.line).toBeLessThanOrEqual(9);
    expect(second?.spec?.pipeline).toBe('count');
    expect(readSteps('---\n- a list\n')[0]?.problem).toEqual({
      message: 'A spec is a map of keys and values',
      line: 2
    });
  });

  it('is not led astray by what is made to', () => {
    const bomb = ['a: &a [x, x]', 'b: &b [*a, *a, *a]'];
    for (let at = 0; at < 12; at++) {
      bomb.push(`c${at}: &c${at} [${'*b, '.repeat(8)}${at ? `*c${at - 1}, *c${at - 1}` : '*b'}]`);
    }
    const [one] = readSteps(bomb.join('\n'));
    expect(one?.problem?.message).toMatch(/alias/i);
    const [own] = readSteps('__proto__: {polluted: true}\npipeline: a\n');
    expect(own?.spec?.pipeline).toBe('a');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(readSteps('text: |\n  a\n --- b\npipeline: x\n')).toHaveLength(1);
  });

  it('is changed in one step alone, whose comments stay', () => {
    const changed = withSpec(TEXT, step(TEXT, 0), {
      pipeline: 'clean',
      input: { repo: { name: 'raw', glob: '/*.csv' } },
      notebook: 'clean.ipynb',
      parameters: { word: 'yes', days: 3 },
      description: 'What it does'
    });
    expect(changed).toContain('pipeline: clean # the first\ndescription: What it does\n');
    expect(changed).toContain('repo: {name: raw, glob: /*.csv} # every file');
    expect(changed).toContain('  word: "yes"\n  days: 3\n');
    expect(changed.startsWith('# our nightly DAG\n---\n# cleans\n')).toBe(true);
    expect(changed.slice(changed.lastIndexOf('---'))).toBe(TEXT.slice(TEXT.lastIndexOf('---')));
  });

  it('quotes what YAML 1.1 takes for something else than text', () => {
    const changed = withSpec(TEXT, step(TEXT, 1), {
      pipeline: 'count',
      command: ['on', '1:30', '0o7']
    });
    expect(changed).not.toMatch(/\bon\b(?!")/);
    expect(readSteps(changed)[1]?.spec).toEqual({
      pipeline: 'count',
      command: ['on', '1:30', '0o7']
    });
  });

  it('gets steps and loses them', () => {
    const more = withNewStep(TEXT, { pipeline: 'last', command: ['true'] }, ['look\n--- here']);
    expect(more).toBe(`${TEXT}---\n# look\n# --- here\npipeline: last\ncommand: ["true"]\n`);
    expect(withoutStep(more, step(more, 2))).toBe(TEXT);
    expect(withoutStep(TEXT, step(TEXT, 0))).toBe(
      `# our nightly DAG\n${TEXT.slice(TEXT.lastIndexOf('---'))}`
    );
    expect(withNewStep('', { pipeline: 'a' })).toBe('pipeline: a\n');
    const alone = withoutStep('pipeline: a\n', step('pipeline: a\n', 0));
    expect(alone).toBe('');
    expect(
      withoutStep('pipeline: a\n---\npipeline: b\n', step('pipeline: a\n---\npipeline: b\n', 0))
    ).toBe('pipeline: b\n');
  });

  it('takes another text for a step, and keeps the mark behind it', () => {
    const changed = withStepText(TEXT, step(TEXT, 0), 'pipeline: other');
    expect(readSteps(changed).map(one => one.spec?.pipeline)).toEqual(['other', 'count']);
  });
});

describe('the inputs of a spec', () => {
  const a = { name: 'a', repo: 'a', branch: 'main', glob: '/' };
  const b = { name: 'other', repo: 'b', branch: 'dev', glob: '/*' };

  it('are added as a cross, whatever stands there', () => {
    const one = addInput({ pipeline: 'x' }, a);
    expect(one.input).toEqual({ repo: { name: 'a', glob: '/' } });
    const two = addInput(one, b);
    expect(
      repoLeaves(two).map(({ repo, branch, glob, name }) => [repo, branch, glob, name])
    ).toEqual([
      ['a', 'main', '/', 'a'],
      ['b', 'dev', '/*', 'other']
    ]);
    const join = {
      join: [{ repo: { name: 'a', glob: '/(*)' } }, { repo: { name: 'c', glob: '/' } }]
    };
    expect(addInput({ input: join }, b).input).toEqual({
      cross: [join, { repo: { name: 'b', branch: 'dev', glob: '/*', as: 'other' } }]
    });
  });

  it('keep their comments when they are crossed, and when one is left', () => {
    const text = 'pipeline: x\ninput:\n  # as it is\n  repo: {name: a, glob: /} # all\n';
    const crossed = withSpec(text, step(text, 0), addInput(step(text, 0).spec ?? {}, b));
    expect(crossed).toContain('# all');
    const spec = step(crossed, 0).spec ?? {};
    expect(repoLeaves(spec)).toHaveLength(2);
    const [, second] = repoLeaves(spec);
    const left = withSpec(crossed, step(crossed, 0), removeInputs(spec, [second?.path ?? []]));
    expect(left).toContain('# all');
    expect(step(left, 0).spec?.input).toEqual({ repo: { name: 'a', glob: '/' } });
  });

  it('take the place of the parameter that holds them', () => {
    const spec = { pipeline: 'x', parameters: { words: 'pfs/words', days: 3, out: 'x' } };
    expect(proposedVariable(spec, 'raw')).toBe('words');
    expect(proposedVariable({ parameters: { a: 'pfs/raw', b: 'pfs/b' } }, 'raw')).toBe('a');
    expect(proposedVariable({ parameters: { a: 'pfs/c', b: 'pfs/b' } }, 'raw')).toBe('raw');
    const read = addInput(spec, { name: 'words', repo: 'raw', branch: 'main', glob: '/' });
    expect(read).toEqual({
      pipeline: 'x',
      parameters: { days: 3, out: 'x' },
      input: { repo: { name: 'raw', glob: '/', as: 'words' } }
    });
  });

  it('are removed at their place, and none are left of one', () => {
    const one = addInput({ pipeline: 'x' }, a);
    expect(removeInputs(one, [[]])).toEqual({ pipeline: 'x' });
  });

  it('take along the paths by which the code finds them, when they go', () => {
    const paths = { '../lake/a': 'a', 'b.csv': 'other/b.csv', plots: 'out/plots/' };
    const two = { ...addInput(addInput({ pipeline: 'x' }, a), b), paths };
    const first = removeInputs(two, [['cross', 0]]);
    expect(first.paths).toEqual({ 'b.csv': 'other/b.csv', plots: 'out/plots/' });
    expect(removeInputs({ ...two, paths: { x: 'a' } }, [['cross', 0]]).paths).toBeUndefined();
    expect(renameRepo(two, 'a', 'c').paths).toEqual(paths);
  });

  it('follow a repo that gets another name; the program knows it by the one it had', () => {
    const two = addInput(addInput({ pipeline: 'x' }, a), b);
    expect(repoLeaves(renameRepo(two, 'a', 'c')).map(({ repo, name }) => [repo, name])).toEqual([
      ['c', 'a'],
      ['b', 'other']
    ]);
    expect(renameRepo(renameRepo(two, 'a', 'c'), 'c', 'a')).toEqual(two);
  });
});

describe('the graph of steps', () => {
  it('draws a step with its output, and an edge for each input', () => {
    const graph = dagGraph(steps(TEXT), ['spare'], [], new Map());
    expect(graph.nodes.map(({ id }) => id)).toEqual([
      'pipeline:clean',
      'pipeline:count',
      'repo:clean',
      'repo:count',
      'repo:raw',
      'repo:spare'
    ]);
    const { cards, nodes } = layout(graph);
    expect(cards).toHaveLength(2);
    const column = (id: string) => nodes.find(({ node }) => node.id === id)?.column;
    expect([column('repo:raw'), column('pipeline:clean'), column('pipeline:count')]).toEqual([
      0, 1, 2
    ]);
  });

  it('lets no step read what it feeds', () => {
    expect(mayRead(steps(TEXT), 'count')).toEqual(new Set());
    expect(mayRead(steps(TEXT), 'clean')).toEqual(new Set(['pipeline:count']));
    expect(mayRead(steps(TEXT), 'raw')).toEqual(new Set(['pipeline:clean', 'pipeline:count']));
  });

  it('tells circles, names used twice, repos that are missing, and broken texts', () => {
    const text = `${TEXT.replace('name: raw', 'name: count')}---\npipeline: count\ninput: {repo: {name: none, glob: /}}\n---\ncommand: [a]\n---\n[\n`;
    const found = problemsOf(steps(text), new Set(['raw']));
    expect(found.map(({ kind, index, value }) => [kind, index, value])).toEqual([
      ['cycle', 0, 'count'],
      ['duplicate', 1, 'count'],
      ['cycle', 1, 'clean'],
      ['duplicate', 2, 'count'],
      ['repo', 2, 'none'],
      ['name', 3, ''],
      ['text', 4, expect.any(String)]
    ]);
  });

  it('is quick for hundreds of steps', () => {
    let text = '';
    for (let at = 0; at < 300; at++) {
      text = withNewStep(text, {
        pipeline: `s${at}`,
        input: { repo: { name: at ? `s${at - 1}` : 'raw', glob: '/' } },
        command: ['true']
      });
    }
    expect(problemsOf(steps(text), new Set(['raw']))).toEqual([]);
  });
});

describe('the form of a step', () => {
  const known = [
    { name: 'words', type: 'str', default: 'pfs/words' },
    { name: 'days', type: 'int', default: 3 }
  ] as unknown as api.Parameter[];
  const spec = { pipeline: 'a', notebook: 'a.ipynb', parameters: { days: 5, more: true } };

  it('has the values of the spec, and writes down no others', () => {
    const { form, parameters, problems } = stepForm(0, spec, known, null);
    expect(parameters.map(({ name }) => name)).toEqual(['words', 'days', 'more']);
    expect(form.values).toEqual({ words: 'pfs/words', days: '5', more: true });
    expect(problems).toEqual({});
    const described = { ...form, fields: { ...form.fields, description: 'All of it' } };
    expect(specOfStep(described, spec, known)).toEqual({ ...spec, description: 'All of it' });
    const changed = { ...form, values: { ...form.values, words: 'else' } };
    expect(specOfStep(changed, spec, known).parameters).toEqual({
      words: 'else',
      days: 5,
      more: true
    });
  });

  it('keeps what is typed wrongly, until the spec is changed elsewhere', () => {
    const { form } = stepForm(0, spec, known, null);
    const typed = { ...form, fields: { ...form.fields, tries: 'many' } };
    const says = specOfStep(typed, spec, known);
    expect(stepForm(0, says, known, { index: 0, form: typed, says }).problems).toEqual({
      'datums.tries': 'count'
    });
    const other = { ...says, description: 'new' };
    expect(stepForm(0, other, known, { index: 0, form: typed, says }).problems).toEqual({});
  });

  it('lets the paths in the code follow an input whose variable is typed anew', () => {
    const input = { repo: { name: 'raw', glob: '/' } };
    const paths = { '../lake/raw': 'raw', plots: 'out/plots/' };
    let said: api.Spec = { pipeline: 'a', notebook: 'a.ipynb', input, paths };
    let { form } = stepForm(0, said, [], null);
    for (const name of ['ra', '', 'd', 'data']) {
      form = { ...form, inputs: form.inputs.map(one => ({ ...one, name })) };
      said = specOfStep(form, said, []);
      form = stepForm(0, said, [], { index: 0, form, says: said }).form;
    }
    expect(said.paths).toEqual({ '../lake/raw': 'data', plots: 'out/plots/' });
  });

  it('writes down no input whose repo is still to be chosen', () => {
    const { form } = stepForm(0, spec, known, null);
    const inputs = [{ name: '', repo: '', branch: 'main', glob: '/' }];
    expect(specOfStep({ ...form, inputs }, spec, known)).toEqual(spec);
  });
});

describe('a notebook in another folder', () => {
  const draft = (folder: string, files: string[] = []) =>
    ({ folder, spec: { pipeline: 'a', notebook: 'a.ipynb', files } }) as unknown as api.Draft;

  it('is named from where the specs are, if it can be', () => {
    expect(withinFolder(draft('etl'), 'etl').notebook).toBe('a.ipynb');
    expect(withinFolder(draft('etl/deep'), 'etl').notebook).toBe('deep/a.ipynb');
    expect(withinFolder(draft('etl'), '').notebook).toBe('etl/a.ipynb');
  });

  it('is refused where it could not run', () => {
    expect(() => withinFolder(draft(''), 'etl')).toThrow(OutOfReachError);
    expect(() => withinFolder(draft('etl2'), 'etl')).toThrow(OutOfReachError);
    expect(() => withinFolder(draft('etl', ['helper.py']), '')).toThrow(OutOfReachError);
  });
});
