import { LakeApiError } from '../api/client';
import type * as api from '../api/types';
import { commonFolder, PromotionsModel } from '../models/promotions';
import type { ILake } from '../tokens';

interface IAsked {
  path: readonly string[];
  body: { specs: { spec: api.Spec; folder: string }[] };
}

/** Return a draft of a notebook that reads a repo. */
function draftOf(name: string, reads: string, folder = 'work'): api.Draft {
  return {
    spec: {
      pipeline: name,
      input: { repo: { name: reads, glob: '/' } },
      notebook: `${name}.ipynb`
    },
    parameters: [],
    notes: [`look at ${name}`],
    places: [],
    folder,
    exists: false
  };
}

/** Return a model over a made server, and what is asked of it. */
function modelOf(drafts: api.Draft[], refused?: { kind: string; pipeline: string }) {
  const asked: IAsked[] = [];
  const request = async (one: IAsked): Promise<unknown> => {
    asked.push(one);
    const [noun] = one.path;
    if (noun === 'chains') {
      return { results: drafts, next: null };
    }
    if (noun === 'repos') {
      return { results: [{ name: 'raw' }], next: null };
    }
    if (noun === 'previews') {
      return { datums: [], has_more: false, message: '' };
    }
    if (noun === 'pipeline-declarations' && refused) {
      const { kind, pipeline } = refused;
      throw new LakeApiError({ status: 409, message: 'no', kind, details: { pipeline } });
    }
    return {
      results: one.body.specs.map(({ spec }) => ({
        pipeline: spec.pipeline,
        action: 'create',
        differs: [],
        template: ''
      })),
      next: null
    };
  };
  const lake = { client: { request } } as unknown as ILake;
  const model = new PromotionsModel({
    lake,
    notebooks: drafts.map(({ spec }) => `work/${String(spec.notebook)}`),
    notes: { repo: isThere => (isThere ? 'there' : 'not there') }
  });
  return { model, asked };
}

/** Wait until a model says so. */
function until(model: PromotionsModel, isSo: () => boolean): Promise<void> {
  return new Promise(resolve => {
    const look = () => {
      if (isSo()) {
        model.stateChanged.disconnect(look);
        resolve();
      }
    };
    model.stateChanged.connect(look);
    look();
  });
}

describe('the promotion of several notebooks', () => {
  it('says what each reads, plans all of them, and publishes them in one request', async () => {
    const { model, asked } = modelOf([draftOf('clean', 'raw'), draftOf('sums', 'clean')]);
    await model.load();
    expect(model.readsOf(0)).toEqual([{ repo: 'raw', from: -1 }]);
    expect(model.readsOf(1)).toEqual([{ repo: 'clean', from: 0 }]);
    expect([model.awaitedBy(0), model.awaitedBy(1)]).toEqual(['', 'clean']);
    expect(model.isComplete).toBe(false);
    await until(model, () => model.isComplete);
    expect(model.changeOf(1)?.action).toBe('create');
    expect(model.indexOf('repo:sums')).toBe(1);
    expect((await model.publish())?.map(({ pipeline }) => pipeline)).toEqual(['clean', 'sums']);
    const sent = asked.filter(({ path }) => path[0] === 'pipeline-declarations');
    expect(sent).toHaveLength(1);
    expect(sent[0]?.body.specs.map(({ folder }) => folder)).toEqual(['work', 'work']);
    model.dispose();
  });

  it('takes along what reads a step when that gets another name', async () => {
    const { model } = modelOf([draftOf('clean', 'raw'), draftOf('sums', 'clean')]);
    await model.load();
    for (const name of ['clea', '', 't', 'tidy']) {
      model.setName(0, name);
    }
    expect(model.readsOf(1)).toEqual([{ repo: 'tidy', from: 0 }]);
    // The variable is what the notebook calls it.
    expect(model.steps[1]?.spec.input).toEqual({
      repo: { name: 'tidy', glob: '/', as: 'clean' }
    });
    model.dispose();
  });

  it('counts what is wrong at the step, and does not publish it', async () => {
    const { model } = modelOf([draftOf('clean', 'raw'), draftOf('sums', 'clean')]);
    await model.load();
    model.setName(1, 'clean');
    expect(model.problems.map(({ kind }) => kind)).toContain('duplicate');
    expect(model.countProblems(1)).toBeGreaterThan(0);
    expect(await model.publish()).toBeNull();
    model.dispose();
  });

  it('shows what the server refuses at the step that it is about', async () => {
    const refused = { kind: 'repo-exists', pipeline: 'sums' };
    const { model } = modelOf([draftOf('clean', 'raw'), draftOf('sums', 'clean')], refused);
    await model.load();
    await until(model, () => model.isComplete);
    expect(await model.publish()).toBeNull();
    expect(model.chosen).toBe(1);
    expect(model.steps[1]?.error).not.toBeNull();
    expect(model.error).toBeNull();
    model.dispose();
  });

  it('is a file of specs in the folder that they share', async () => {
    const { model } = modelOf([draftOf('clean', 'raw'), draftOf('sums', 'clean', 'work/deep')]);
    await model.load();
    const { folder, text } = model.file();
    expect(folder).toBe('work');
    expect(text).toContain('# look at clean\npipeline: clean');
    expect(text).toContain('notebook: deep/sums.ipynb');
    model.dispose();
  });

  it('finds the folder that folders share', () => {
    expect(commonFolder(['a/b', 'a/b/c'])).toBe('a/b');
    expect(commonFolder(['a/b', 'a/c', 'a/b'])).toBe('a');
    expect(commonFolder(['', 'a'])).toBe('');
    expect(commonFolder(['same'])).toBe('same');
  });
});
