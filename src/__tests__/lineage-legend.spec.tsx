import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen, within } from '@testing-library/react';
import * as React from 'react';

import type * as api from '../api/types';
import { legendHeight, LegendPicture, LineageLegend } from '../components/lineage-legend';
import { layout } from '../lineage/layout';
import { legendOf } from '../lineage/legend';

const trans = nullTranslator.load('jupyter_datalake');

const node = (kind: api.LineageNode['kind'], label: string, state = ''): api.LineageNode => ({
  id: `${kind}:${label}`,
  kind,
  label,
  state,
  details: {}
});

const SEEN = layout({
  nodes: [
    node('repo', 'raw'),
    node('pipeline', 'clean', 'failed'),
    node('repo', 'clean'),
    node('notebook', 'look.ipynb')
  ],
  edges: [
    { source: 'repo:raw', target: 'pipeline:clean', basis: 'declared' },
    { source: 'pipeline:clean', target: 'repo:clean', basis: 'declared' },
    { source: 'repo:clean', target: 'notebook:look.ipynb', basis: 'observed' }
  ]
});

it('a legend explains what is in the picture, and nothing else', () => {
  expect(legendOf(SEEN)).toEqual([
    { what: 'kind', kind: 'repo' },
    { what: 'kind', kind: 'pipeline' },
    { what: 'kind', kind: 'notebook' },
    { what: 'card' },
    { what: 'edge', basis: 'declared' },
    { what: 'edge', basis: 'observed' },
    { what: 'state', state: 'failed' }
  ]);
  expect(legendOf(layout({ nodes: [node('repo', 'raw')], edges: [] }))).toEqual([
    { what: 'kind', kind: 'repo' }
  ]);
});

it('declared and observed edges are told apart by their line and by words; it can be closed', () => {
  const onToggle = jest.fn();
  const show = (isOpen: boolean) => (
    <LineageLegend layout={SEEN} isOpen={isOpen} trans={trans} onToggle={onToggle} />
  );
  const { rerender, container } = render(show(true));
  const entries = within(screen.getByRole('list', { name: 'Legend' })).getAllByRole('listitem');
  const lineOf = (text: string) =>
    entries.find(one => one.textContent?.startsWith(text))?.querySelector('path')?.classList.value;
  expect(lineOf('declared')).toContain('jp-mod-declared');
  expect(lineOf('observed')).toContain('jp-mod-observed');
  expect(container.querySelector('.jp-mod-bad')).not.toBeNull();
  const toggle = screen.getByRole('button', { name: 'Legend', expanded: true });
  fireEvent.click(toggle);
  expect(onToggle).toHaveBeenCalledTimes(1);
  rerender(show(false));
  expect(screen.getByRole('button', { name: 'Legend', expanded: false })).toBe(toggle);
  expect(screen.queryByRole('list')).toBeNull();
});

it('in a file it stands in rows that are no wider than the picture', () => {
  expect(legendHeight(SEEN, 5000)).toBe(24);
  expect(legendHeight(SEEN, 430)).toBe(4 * 24);
  const { container } = render(
    <svg>
      <LegendPicture layout={SEEN} width={430} y={100} trans={trans} />
    </svg>
  );
  const places = [...container.querySelectorAll('svg > g')].map(one =>
    one.getAttribute('transform')
  );
  expect(places.slice(0, 3)).toEqual([
    'translate(0 100)',
    'translate(210 100)',
    'translate(0 124)'
  ]);
  expect(container.textContent).toContain('observed: files were opened');
});
