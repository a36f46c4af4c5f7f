/**
 * The environment that a version of a pipeline's code was published with.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

const SHOWN = 200;

/** What {@link Environment} shows: the lock as JSON, whatever it is. */
export interface IEnvironmentProps {
  lock: unknown;
  trans: TranslationBundle;
}

/** Kernel, Python, platform, and packages to be searched. */
export function Environment({ lock, trans }: IEnvironmentProps): React.JSX.Element {
  const [text, setText] = React.useState('');
  const facts = (lock ?? {}) as Readonly<Record<string, unknown>>;
  const packages = React.useMemo(() => packagesOf(facts.packages), [facts.packages]);
  const wanted = text.trim().toLowerCase();
  const found = packages.filter(([name]) => name.toLowerCase().includes(wanted));
  const rows: [string, unknown][] = [
    [trans.__('Kernel'), facts.kernel],
    [trans.__('Language'), facts.language],
    [trans.__('Python'), facts.python],
    [trans.__('Platform'), facts.platform]
  ];
  return (
    <>
      <dl className="jp-DatalakeFacts">
        {rows
          .filter(([, value]) => typeof value === 'string' && value !== '')
          .map(([name, value]) => (
            <React.Fragment key={name}>
              <dt>{name}</dt>
              <dd>{String(value)}</dd>
            </React.Fragment>
          ))}
      </dl>
      {packages.length > 0 && (
        <details className="jp-DatalakeEnvironment">
          <summary>{trans._n('%1 package', '%1 packages', packages.length)}</summary>
          <input
            type="search"
            className="jp-DatalakeField"
            aria-label={trans.__('Search packages')}
            placeholder={trans.__('Search packages')}
            value={text}
            onChange={event => setText(event.target.value)}
          />
          <ul className="jp-DatalakeEnvironment-list" aria-label={trans.__('Packages')}>
            {found.slice(0, SHOWN).map(([name, version]) => (
              <li key={name}>
                {name} <span className="jp-DatalakeRow-version">{version}</span>
              </li>
            ))}
          </ul>
          {found.length > SHOWN && (
            <p className="jp-DatalakeNote">{trans.__('and %1 more', found.length - SHOWN)}</p>
          )}
          {found.length === 0 && (
            <p className="jp-DatalakeNote">{trans.__('No package is called so.')}</p>
          )}
        </details>
      )}
    </>
  );
}

function packagesOf(packages: unknown): [string, string][] {
  if (typeof packages !== 'object' || packages === null) {
    return [];
  }
  return Object.entries(packages).map(([name, version]) => [name, String(version)]);
}
