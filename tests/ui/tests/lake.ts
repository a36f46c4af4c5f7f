/** What the tests share: making things in the lake, and finding them in the panel. */
import { AxeBuilder } from '@axe-core/playwright';
import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import { expect, test } from '@jupyterlab/galata';
import type { APIRequestContext, Locator, Page } from '@playwright/test';

/** The lake behind the server, over its REST interface. */
export class Lake {
  constructor(private readonly _request: APIRequestContext) {}

  /** Create a repo; return the id of its first commit, which is empty. */
  async createRepo(name: string): Promise<string> {
    const repo = await this._post<{ head: { commit_id: string } }>('repos', { name });
    return repo.head.commit_id;
  }

  async createBranch(repo: string, name: string, at: string): Promise<void> {
    await this._post(`repos/${repo}/branches`, { name, at });
  }

  async copy(source: string, target: string): Promise<void> {
    await this._post('copies', { source, target });
  }

  /** Stage what is at an address in a session of a branch; return the session's id. */
  async stage(repo: string, branch: string, source: string): Promise<string> {
    const { id } = await this._post<{ id: string }>('sessions', { repo, branch });
    await this._post(`sessions/${id}/restores`, { source }, 204);
    return id;
  }

  /** Drop what is staged in any session, as specs before this one may have left it. */
  async discardAll(): Promise<void> {
    const response = await this._request.get('/datalake/sessions');
    const { results } = (await response.json()) as { results: { id: string }[] };
    for (const { id } of results) {
      await this._post(`sessions/${id}/discards`, {}, 204);
    }
  }

  /** Remove a session with all that is staged in it. */
  async deleteSession(id: string): Promise<void> {
    const gone = await this._request.delete(`/datalake/sessions/${id}`);
    expect(gone.status(), await gone.text()).toBe(204);
  }

  /** Merge a ref into a branch. */
  async merge(repo: string, ref: string, into: string): Promise<void> {
    await this._post(`repos/${repo}/branches/${into}/merges`, { ref }, 200);
  }

  /** Commit one file to a branch; return the id of the commit. */
  async put(
    repo: string,
    path: string,
    content: string,
    message: string,
    branch = 'main'
  ): Promise<string> {
    const response = await this._request.put(
      `/datalake/repos/${encodeURIComponent(repo)}/refs/${branch}/content`,
      {
        params: { path, message },
        headers: { 'Content-Type': 'application/octet-stream' },
        data: content
      }
    );
    expect(response.status()).toBe(201);
    return ((await response.json()) as { id: string }).id;
  }

  async createPipeline(spec: Record<string, unknown>): Promise<void> {
    await this._post('pipelines', { spec });
  }

  async deletePipeline(name: string): Promise<void> {
    const gone = await this._request.delete(`/datalake/pipelines/${encodeURIComponent(name)}`);
    expect(gone.status(), await gone.text()).toBe(204);
  }

  async mount(repo: string, mode?: 'fuse' | 'checkout' | 'drive'): Promise<void> {
    await this._post('mounts', { repo, mode });
  }

  /** Unmount everything; return what was mounted. */
  async unmountAll(): Promise<readonly { name: string; repo: string }[]> {
    const response = await this._request.get('/datalake/mounts');
    const { results } = (await response.json()) as { results: { name: string; repo: string }[] };
    for (const { name } of results) {
      const gone = await this._request.delete(`/datalake/mounts/${encodeURIComponent(name)}`);
      expect(gone.status(), await gone.text()).toBe(204);
    }
    return results;
  }

  /** Return what the branch main has at a path, as text. */
  async read(repo: string, path: string): Promise<string> {
    const response = await this._request.get(
      `/datalake/repos/${encodeURIComponent(repo)}/refs/main/content`,
      { params: { path } }
    );
    expect(response.status()).toBe(200);
    return response.text();
  }

  private async _post<T>(path: string, data: unknown, status = 201): Promise<T> {
    const response = await this._request.post(`/datalake/${path}`, { data });
    expect(response.status(), await response.text()).toBe(status);
    return (status === 204 ? undefined : await response.json()) as T;
  }
}

/** Open the panel of the lake, and wait for the repos if there are any. */
export async function openPanel(page: IJupyterLabPageFixture, hasRepos = true): Promise<Locator> {
  await page.sidebar.openTab('jupyter-datalake');
  const panel = page.getByRole('region', { name: 'Data Lake', exact: true });
  if (hasRepos) {
    await expect(panel.getByRole('list', { name: 'Repos' })).toBeVisible();
  }
  return panel;
}

/** Open all sections. */
export async function openSections(panel: Locator): Promise<void> {
  const closed = panel.locator('.jp-AccordionPanel-title[aria-expanded="false"]');
  while ((await closed.count()) > 0) {
    await closed.first().click();
  }
}

/** Return one section of the panel. */
export function section(panel: Locator, name: string): Locator {
  return panel.locator(`[data-section="${name}"]`);
}

/** Return the row of a repo. */
export function repoRow(panel: Locator, repo: string): Locator {
  return panel.locator(`li[data-repo="${repo}"]`);
}

/** Show the buttons of a row: by focus, which unlike the pointer stays when the row moves. */
export async function showActions(row: Locator): Promise<void> {
  await row.getByRole('button').first().focus();
}

/** Show the history of a repo, and return its section. */
export async function openHistory(panel: Locator, repo: string): Promise<Locator> {
  await showActions(repoRow(panel, repo));
  await panel.getByRole('button', { name: `History of ${repo}`, exact: true }).click();
  const history = section(panel, 'history');
  await expect(history.getByRole('list', { name: 'Commits' })).toBeVisible();
  return history;
}

/** Open a notebook, and wait for its toolbar. */
export async function openNotebook(page: IJupyterLabPageFixture, path: string): Promise<void> {
  await page.evaluate(async opened => {
    await window.jupyterapp.commands.execute('docmanager:open', { path: opened });
  }, path);
  await expect(page.getByRole('button', { name: /^Promote to pipeline/ })).toBeVisible();
}

/** Return an entry of the file browser. */
export function fileEntry(page: IJupyterLabPageFixture, name: string): Locator {
  return page.locator('.jp-DirListing-item', {
    has: page.locator('.jp-DirListing-itemText', { hasText: new RegExp(`^${escape(name)}$`) })
  });
}

/** Wait until the file browser shows a folder. */
export async function expectFolder(page: IJupyterLabPageFixture, path: string): Promise<void> {
  const crumbs = page.locator('.jp-FileBrowser .jp-BreadCrumbs');
  await expect(crumbs).toContainText(path.split('/').pop() ?? '');
  await expect
    .poll(async () => (await crumbs.innerText()).replace(/[\s/]+/g, '/').replace(/^\/|\/$/g, ''))
    .toBe(path);
}

/** Expect that a screen reader can name everything that can be used. */
export async function expectNamed(part: Locator): Promise<void> {
  const unnamed = await part.evaluate(node =>
    [...node.querySelectorAll('button, input, select, textarea, [role="button"], [role="img"]')]
      .filter(one => {
        const label = one.getAttribute('aria-label') ?? one.textContent ?? '';
        const labels = (one as HTMLInputElement).labels?.length ?? 0;
        return label.trim() === '' && labels === 0 && !one.closest('[aria-hidden="true"]');
      })
      .map(one => one.outerHTML.slice(0, 120))
  );
  expect(unnamed).toEqual([]);
}

/** Expect that axe finds nothing amiss in a part of the page, by all rules or some. */
export async function expectAccessible(page: Page, part: string, rules?: string[]): Promise<void> {
  const axe = new AxeBuilder({ page }).include(part).setLegacyMode(); // there are no frames
  axe.options({
    preload: false, // of style sheets, for one rule that we have no occasion for
    resultTypes: ['violations'],
    ...(rules ? { runOnly: rules } : {})
  });
  const { violations } = await axe.analyze();
  const found = violations.flatMap(({ id, nodes }) =>
    nodes
      // JupyterLab's own toolbar button, which says `aria-pressed` of a custom element.
      .filter(one => id !== 'aria-allowed-attr' || !one.html.startsWith('<jp-button'))
      // Lumino's own lines between the items of menus.
      .filter(one => !SEPARATED.test(`${id} ${one.html}`))
      .map(one => `${id}: ${one.html.slice(0, 200)} ${one.any[0]?.message ?? ''}`)
  );
  expect(found, part).toEqual([]);
}

const SEPARATED =
  /^presentation-role-conflict .*data-type="separator"|^aria-required-children .*lm-Menu-content/;

const THEMES = ['JupyterLab Dark', 'JupyterLab Dark High Contrast', 'JupyterLab Light'];

/** Look at a part of the page in each theme; the last is the one that other specs expect. */
export async function expectAccessibleInThemes(page: Page, part: string): Promise<void> {
  for (const [index, theme] of THEMES.entries()) {
    await setTheme(page, theme);
    const rules = index === 0 ? undefined : ['color-contrast']; // what a theme can change
    await test.step(`${part} in ${theme}`, () => expectAccessible(page, part, rules));
  }
}

/** Choose a theme, also while a dialog is open. */
export async function setTheme(page: Page, theme: string): Promise<void> {
  await page.evaluate(async name => {
    await window.jupyterapp.commands.execute('apputils:change-theme', { theme: name });
  }, theme);
  await expect(page.locator('body')).toHaveAttribute('data-jp-theme-name', theme);
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
