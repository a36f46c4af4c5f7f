import { nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { fireEvent, render, screen, within } from '@testing-library/react';
import * as React from 'react';

import { MediaDiff } from '../components/media-diff';
import { NotebookDiff } from '../components/notebook-diff';
import { outputChanges, outputsOf } from '../components/notebook-outputs';
import { RenderHtmlContext } from '../components/output-diff';
import { spansOf } from '../plugins/colouring';

const trans = nullTranslator.load('jupyter_datalake');

function cell(...outputs: unknown[]) {
  return { cell_type: 'code', id: 'a', source: 'show()', outputs };
}

function stream(text: string) {
  return { output_type: 'stream', name: 'stdout', text };
}

function data(bundle: Record<string, unknown>) {
  return { output_type: 'display_data', data: bundle, metadata: {} };
}

describe('outputs of a cell', () => {
  it('are texts, images and HTML, whatever else they offer', () => {
    const found = outputsOf(
      cell(
        stream('one\n'),
        stream('two\n'),
        data({ 'image/png': 'aGk=\n', 'text/plain': '<Figure>' }),
        data({ 'text/html': '<b>x</b>', 'text/plain': 'x' }),
        { output_type: 'error', traceback: ['\u001b[0;31mKeyError\u001b[0m: 1'] }
      )
    );
    expect(found).toEqual([
      { kind: 'text', text: 'one\ntwo\n' },
      { kind: 'image', url: 'data:image/png;base64,aGk=' },
      { kind: 'html', html: '<b>x</b>' },
      { kind: 'text', text: 'KeyError: 1' }
    ]);
  });

  it('may be anything, and what is no base64 becomes no address', () => {
    expect(outputsOf(null)).toEqual([]);
    expect(outputsOf({ outputs: 'x' })).toEqual([]);
    expect(outputsOf({ outputs: [null, 7, { output_type: 'error' }] })).toEqual([
      { kind: 'text', text: ': ' }
    ]);
    expect(outputsOf(cell(data({ 'image/png': '"><script>' })))[0]?.kind).toBe('text');
  });

  it('are compared place by place', () => {
    const [a, b, c] = [stream('1'), data({ 'image/png': 'aa==' }), data({ 'image/png': 'bb==' })];
    expect(outputChanges(outputsOf(cell(a, b)), outputsOf(cell(a, c)))).toHaveLength(1);
    expect(outputChanges(outputsOf(cell(a)), outputsOf(cell(a, c)))[0]?.old).toBeNull();
  });
});

describe('two notebooks', () => {
  function show(old: unknown, now: unknown, renderHtml?: (html: string) => Widget) {
    render(
      <RenderHtmlContext.Provider value={renderHtml ?? null}>
        <NotebookDiff old={{ cells: [old] }} new={{ cells: [now] }} trans={trans} />
      </RenderHtmlContext.Provider>
    );
    return within(screen.getByRole('group', { name: 'Outputs' }));
  }

  it('show which lines of an output are other ones', () => {
    const outputs = show(cell(stream('a\n1\nz')), cell(stream('a\n2\nz')));
    expect(outputs.getByText('1').className).toContain('jp-mod-removed');
    expect(outputs.getByText('2').className).toContain('jp-mod-added');
    expect(outputs.getAllByText('a')[0]?.className).not.toContain('jp-mod');
  });

  it('hand HTML to what sanitises it, and put none of it into the page themselves', () => {
    const asked: string[] = [];
    const html = '<table><script>steal()</script></table>';
    const outputs = show(
      cell(data({ 'text/html': '<i>old</i>' })),
      cell(data({ 'text/html': html })),
      text => {
        asked.push(text);
        return new Widget();
      }
    );
    expect(asked).toEqual(['<i>old</i>', html]);
    expect(outputs.getByRole('figure', { name: 'Now' }).querySelector('script')).toBeNull();
  });

  it('show HTML as text where nothing sanitises it', () => {
    const outputs = show(cell(), cell(data({ 'text/html': '<b>x</b>' })));
    expect(outputs.getByText('<b>x</b>').tagName).toBe('PRE');
  });
});

describe('two images', () => {
  const [old, now] = [
    { url: 'data:image/png;base64,aa==', size_bytes: 1 },
    { url: 'data:image/png;base64,bb==', size_bytes: 2 }
  ];

  it('are swiped and seen through by a slider that keys move', () => {
    render(<MediaDiff old={old} new={now} isAudio={false} trans={trans} />);
    expect(screen.getByRole('figure', { name: 'Before' })).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'Swipe' }));
    fireEvent.change(screen.getByRole('slider', { name: /Where the new image/ }), {
      target: { value: '80' }
    });
    expect(screen.getByRole('img', { name: 'Now' }).style.clipPath).toBe('inset(0 0 0 80%)');
    fireEvent.click(screen.getByRole('button', { name: 'Onion skin' }));
    fireEvent.change(screen.getByRole('slider', { name: /How much of the new/ }), {
      target: { value: '20' }
    });
    expect(screen.getByRole('img', { name: 'Now' }).style.opacity).toBe('0.2');
  });

  it('stand alone where there is but one', () => {
    render(<MediaDiff old={null} new={now} isAudio={false} trans={trans} />);
    expect(screen.queryByRole('button', { name: 'Swipe' })).toBeNull();
    expect(screen.getByText('It was not there.')).toBeTruthy();
  });
});

it('colours are taken line by line, as text', () => {
  const code = document.createElement('code');
  const word = document.createElement('span');
  word.className = 'keyword';
  word.textContent = 'a\nb';
  code.append('x ', word, '\n<b>');
  expect(spansOf(code)).toEqual([
    [
      { text: 'x ', classes: '' },
      { text: 'a', classes: 'keyword' }
    ],
    [{ text: 'b', classes: 'keyword' }],
    [{ text: '<b>', classes: '' }]
  ]);
});
