import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen, within } from '@testing-library/react';
import * as React from 'react';

import { Environment } from '../components/environment';

const trans = nullTranslator.load('jupyter_datalake');

it('an environment tells its kernel and Python, and its packages are searched', () => {
  const lock = {
    kernel: 'python3',
    python: '3.12.1',
    platform: 'Linux-x86_64',
    packages: { pandas: '2.2.0', numpy: '1.26.4', '<b>odd</b>': 3 }
  };
  const { container } = render(<Environment lock={lock} trans={trans} />);
  expect(container.textContent).toContain(
    'Kernelpython3Python3.12.1PlatformLinux-x86_643 packages'
  );
  const list = screen.getByRole('list', { name: 'Packages', hidden: true });
  expect(within(list).getAllByRole('listitem', { hidden: true })).toHaveLength(3);
  expect(container.querySelector('b')).toBeNull();
  const search = screen.getByRole('searchbox', { name: 'Search packages', hidden: true });
  fireEvent.change(search, { target: { value: 'PAND' } });
  expect(list.textContent).toBe('pandas 2.2.0');
  fireEvent.change(search, { target: { value: 'nothing' } });
  expect(screen.getByText('No package is called so.')).toBeTruthy();
});

it('an environment that is not known is none', () => {
  const { container } = render(<Environment lock={['what']} trans={trans} />);
  expect(container.textContent).toBe('');
});
