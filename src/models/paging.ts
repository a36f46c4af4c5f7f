/**
 * Lists that come in pages.
 */

/** One page, and what to ask for the next. */
export interface IPage<T, C = string> {
  results: T[];
  next: C | null;
}

/** Page size for lists that are loaded whole. */
export const WHOLE_PAGE = 1000;

const MAX_PAGES = 10;

/**
 * Return the first items of a list, and what to ask for the next page.
 *
 * @param wanted - how many items; one page holds no more than {@link WHOLE_PAGE}.
 * @param fetch - returns a page behind a cursor; the first one for undefined.
 */
export async function loadUpTo<T, C = string>(
  wanted: number,
  fetch: (after: C | undefined, limit: number) => Promise<IPage<T, C>>
): Promise<IPage<T, C>> {
  const results: T[] = [];
  let next: C | null = null;
  do {
    const limit = Math.min(wanted - results.length, WHOLE_PAGE);
    const page: IPage<T, C> = await fetch(next ?? undefined, limit);
    results.push(...page.results);
    next = page.next;
  } while (next !== null && results.length < wanted);
  return { results, next };
}

/** Return all items of a list, or as many as ten pages hold. */
export async function loadAll<T>(
  fetch: (after: string | undefined, limit: number) => Promise<IPage<T>>
): Promise<T[]> {
  return (await loadUpTo(MAX_PAGES * WHOLE_PAGE, fetch)).results;
}
