/**
 * Sets as values.
 */

/** Return a set with an element more, or without it. */
export function toggled<T>(set: ReadonlySet<T>, one: T): Set<T> {
  const other = new Set(set);
  if (!other.delete(one)) {
    other.add(one);
  }
  return other;
}
