import { nullTranslator } from '@jupyterlab/translation';

import type * as api from '../api/types';
import { placeText } from '../components/place-list';

const trans = nullTranslator.load('jupyter_datalake');

const PLACE: api.ProposedPlace = {
  role: 'input',
  repo: 'raw',
  branch: 'main',
  path: '',
  sources: ['mentioned'],
  files: 0,
  each: null,
  variable: null,
  cells: [2],
  shown_at: null
};

describe('what is known of a place', () => {
  it('names the cells that mention it, and the parameter', () => {
    expect(placeText({ ...PLACE, variable: 'raw' }, trans)).toBe(
      'mentioned in cell 2 · in the parameter raw'
    );
    expect(placeText({ ...PLACE, cells: [2, 5], shown_at: '../lake/raw' }, trans)).toBe(
      'mentioned in cells 2, 5 · the job shows it at ../lake/raw'
    );
  });

  it('tells what was only observed from what is mentioned too', () => {
    const observed: api.ProposedPlace = { ...PLACE, sources: ['observed'], files: 3 };
    expect(placeText(observed, trans)).toBe('observed when cell 2 ran · 3 files');
    expect(placeText({ ...observed, cells: [] }, trans)).toBe('observed when it ran · 3 files');
    expect(placeText({ ...PLACE, sources: ['mentioned', 'observed'], files: 1 }, trans)).toBe(
      'mentioned in cell 2 · observed: 1 file'
    );
  });
});
