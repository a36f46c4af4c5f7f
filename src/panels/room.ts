/**
 * Shares the height of the panel among its sections. Pure.
 */

/** What one section asks for. */
export interface IClaim {
  /** Height of its content; 0 for a closed section. */
  height: number;
  /** Its share of what is left over, and of what is too little. */
  share: number;
}

/**
 * Return the height of each section: those that need less than their share get what they need,
 * the others share the rest. Room that nobody needs is shared as well.
 */
export function shareRoom(room: number, claims: readonly IClaim[]): number[] {
  const open = claims.map((claim, index) => ({ ...claim, index })).filter(one => one.height > 0);
  const sizes = claims.map(() => 0);
  let waiting = open;
  let left = room;
  for (;;) {
    const shares = sum(waiting.map(one => one.share));
    const content = waiting.filter(one => one.height <= (left * one.share) / shares);
    if (content.length === 0 || content.length === waiting.length) {
      // The last ones share what is left, be it too little or more than they need.
      const spare = content.length === 0 ? 0 : left - sum(waiting.map(one => one.height));
      for (const { index, height, share } of waiting) {
        sizes[index] =
          content.length === 0 ? (left * share) / shares : height + (spare * share) / shares;
      }
      return sizes;
    }
    for (const { index, height } of content) {
      sizes[index] = height;
      left -= height;
    }
    waiting = waiting.filter(one => !content.includes(one));
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, one) => total + one, 0);
}
