import { nullTranslator } from '@jupyterlab/translation';
import type { IClient, IRequest } from '../api/client';
import type * as api from '../api/types';
import { describeError } from '../components/errors';
import { DatumChoice } from '../models/datum-choice';
import { asLakeError } from '../models/refreshing';

const trans = nullTranslator.load('jupyter_datalake');

const SPEC = { pipeline: 'p', input: { repo: { name: 'raw', glob: '/*' } } } as api.Spec;

/** A server whose inputs make some datums. */
function choiceOf(labels: readonly string[]) {
  const lake = { labels, asked: 0 };
  const request = ({ body }: IRequest) => {
    const { after = -1, limit = 100 } = body as { after?: number; limit?: number };
    lake.asked++;
    const datums = lake.labels
      .slice(after + 1, after + 1 + limit)
      .map(label => [{ label, size_bytes: 2 }]);
    const has_more = lake.labels.length > after + 1 + limit;
    return Promise.resolve({ datums, has_more, message: '' });
  };
  return { choice: new DatumChoice({ request } as IClient, jest.fn()), lake };
}

const many = (count: number) => Array.from({ length: count }, (_, at) => `raw:/${at}.txt`);

describe('the choice of datums', () => {
  it('finds datums by path, and says where those chosen stand', async () => {
    const { choice } = choiceOf(['raw:/a.csv', 'raw:/b.csv', 'raw:/c.txt']);
    await choice.show(SPEC);
    choice.filter = 'CSV';
    expect(choice.found.map(({ label }) => label)).toEqual(['raw:/a.csv', 'raw:/b.csv']);
    expect(choice.isChosen).toBe(false);
    choice.toggle('raw:/c.txt');
    choice.toggle('raw:/b.csv');
    choice.toggle('raw:/a.csv');
    choice.toggle('raw:/a.csv');
    expect(choice.isChosen).toBe(true);
    expect(await choice.positions(SPEC)).toEqual([1, 2]);
  });

  it('follows datums that others came before, and says which is gone', async () => {
    const { choice, lake } = choiceOf(['raw:/b', 'raw:/c']);
    await choice.show(SPEC);
    choice.toggle('raw:/c');
    lake.labels = ['raw:/a', 'raw:/b', 'raw:/c'];
    expect(await choice.positions(SPEC)).toEqual([2]);
    lake.labels = ['raw:/a'];
    const reason = asLakeError(await choice.positions(SPEC).catch((one: unknown) => one));
    expect(describeError(reason, trans)).toBe('The inputs make no datum raw:/c any more');
    expect(choice.listed?.map(({ key }) => key)).toEqual(['raw:/a']);
    expect(choice.chosen.size).toBe(0);
  });

  it('tells datums of the same label apart', async () => {
    const { choice } = choiceOf(['raw:/a', 'raw:/a']);
    await choice.show(SPEC);
    choice.toggle('raw:/a (2)');
    expect(await choice.positions(SPEC)).toEqual([1]);
  });

  it('is kept while the inputs are the same, and begins anew with others', async () => {
    const { choice, lake } = choiceOf(many(3));
    await choice.show(SPEC);
    choice.toggle('raw:/1.txt');
    await choice.show({ ...SPEC, parameters: { k: 1 } });
    expect([lake.asked, choice.chosen.size]).toEqual([1, 1]);
    await choice.show({ ...SPEC, input: { repo: { name: 'raw', glob: '/' } } });
    expect([lake.asked, choice.chosen.size]).toEqual([2, 0]);
  });

  it('is listed page by page, and no more than 100 are tried', async () => {
    const { choice } = choiceOf(many(450));
    await choice.show(SPEC);
    expect([choice.listed?.length, choice.hasMore]).toEqual([200, true]);
    await choice.loadMore(SPEC);
    await choice.loadMore(SPEC);
    expect([choice.listed?.length, choice.hasMore]).toEqual([450, false]);
    many(101).forEach(label => choice.toggle(label));
    expect(choice.isChosen).toBe(false);
    choice.toggle('raw:/0.txt');
    expect(choice.isChosen).toBe(true);
  });

  it('says why there is nothing to list, and asks again later', async () => {
    const { choice } = choiceOf([]);
    const error = new Error('Gone');
    const request = jest.fn().mockRejectedValueOnce(error).mockResolvedValue({
      datums: [],
      has_more: false,
      message: 'No file matches'
    });
    const other = new DatumChoice({ request } as IClient, jest.fn());
    await other.show(SPEC);
    expect([other.error?.message, other.isLoading, other.listed]).toEqual(['Gone', false, null]);
    await other.show(SPEC);
    expect([other.error, other.message]).toEqual([null, 'No file matches']);
    await choice.show(SPEC);
    expect(choice.listed).toEqual([]);
  });
});
