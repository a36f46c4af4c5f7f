import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen, waitFor } from '@testing-library/react';
import * as React from 'react';

import type { IByteClient } from '../api/client';
import type * as api from '../api/types';
import { TableFlows } from '../components/table-flows';
import { loadSheet } from '../models/lineage-sheet';

const trans = nullTranslator.load('jupyter_datalake');

const INGEST = {
  name: 'orders',
  spec: {
    pipeline: 'orders',
    input: { cron: { name: 'tick', schedule: '0 6 * * *', zone: 'UTC' } },
    ingest: { connection: 'shop', query: 'SELECT * FROM orders ORDER BY id' }
  }
} as unknown as api.Pipeline;
const EGRESS = {
  name: 'totals',
  spec: {
    pipeline: 'totals',
    egress: { connection: 'shop', table: 'totals', mode: 'merge', key: ['day', 'shop'] }
  }
} as unknown as api.Pipeline;

const job = (pipeline: string, more: object): api.Job =>
  ({
    id: `job of ${pipeline}`,
    pipeline,
    state: 'success',
    outcome: 'committed',
    created_at: '2026-05-01T06:00:00Z',
    started_at: '2026-05-01T06:00:00Z',
    finished_at: '2026-05-01T06:00:09Z',
    output_commit_id: null,
    rows_written: null,
    ...more
  }) as unknown as api.Job;

/** A server that knows two pipelines, and the first page of one file. */
const client = {
  request: ({ path, query }: { path: string[]; query?: Record<string, unknown> }) => {
    switch (path.join(' ')) {
      case 'pipelines orders':
        return Promise.resolve(INGEST);
      case 'pipelines totals':
        return Promise.resolve(EGRESS);
      case 'jobs':
        return Promise.resolve({
          results: [
            query?.pipeline === 'orders'
              ? job('orders', { output_commit_id: 'c1' })
              : job('totals', { rows_written: 31 })
          ]
        });
      case 'repos orders refs c1 preview':
        expect(query?.path).toBe('/data.parquet');
        return Promise.resolve({ page: { total: 12000 } });
      default:
        return Promise.reject(new Error(`No such thing: ${path.join('/')}`));
    }
  }
} as unknown as IByteClient;

const table = (label: string) => ({
  id: `table:${label}`,
  kind: 'table' as const,
  label,
  state: '',
  details: {}
});
const EDGES: api.LineageEdge[] = [
  { source: 'table:shop', target: 'pipeline:orders', basis: 'declared' },
  { source: 'repo:totals', target: 'table:shop.totals', basis: 'declared' }
];

it('a warehouse tells which query read it, when, with how many rows, and when it is read again', async () => {
  const { flows } = await loadSheet(client, table('shop'), EDGES, null);
  const [onPipeline, onJob] = [jest.fn(), jest.fn()];
  render(<TableFlows flows={flows} trans={trans} onPipeline={onPipeline} onJob={onJob} />);
  const told = screen.getByRole('region', { name: 'Read by orders' });
  expect(told.textContent).toContain('SELECT * FROM orders ORDER BY id');
  expect(told.textContent).toContain(`Rows${(12000).toLocaleString()}`);
  expect(told.textContent).toContain('0 6 * * *');
  await waitFor(() => expect(told.textContent).toContain('06:00')); // in plain words
  fireEvent.click(screen.getByRole('button', { name: 'Read by orders' }));
  expect(onPipeline).toHaveBeenCalledWith('orders');
  fireEvent.click(screen.getByTitle('Show the job'));
  expect(onJob.mock.calls[0]?.[0]).toMatchObject({ id: 'job of orders' });
});

it('a table tells which output is written into it, how, and how many rows were', async () => {
  const { flows } = await loadSheet(client, table('shop.totals'), EDGES, null);
  render(<TableFlows flows={flows} trans={trans} onPipeline={jest.fn()} onJob={jest.fn()} />);
  const told = screen.getByRole('region', { name: 'Written by totals' });
  expect(told.textContent).toContain('merge by day, shop');
  expect(told.textContent).toContain('Rows31');
});

it('rows of a query are not told where its output is not kept', async () => {
  const gone = {
    request: (asked: { path: string[] }) =>
      asked.path.includes('preview')
        ? Promise.reject(new Error('gone'))
        : (client.request as (asked: unknown) => Promise<unknown>)(asked)
  } as unknown as IByteClient;
  const { flows } = await loadSheet(gone, table('shop'), EDGES, null);
  expect(flows.map(({ rows }) => rows)).toEqual([null]);
});
