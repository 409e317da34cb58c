/**
 * Which category something gets that lies inside several entries: the most specific entry decides, unless an exception for its
 * category covers the same place; then the next one does. Called while tables are made, so that a look-up finds the answer ready.
 */

/** What the lists say of one network or one name. */
export interface Level {
  /** Categories it is listed for, in the order of the lists. */
  readonly listed: readonly number[];
  /** Categories it is an exception of. */
  readonly allowed: readonly number[];
}

/** Levels with one category and no exception, by category: nearly all there are. */
export const LISTED: readonly Level[] = Array.from({ length: 256 }, (_, category) => ({
  listed: category === 0 ? [] : [category],
  allowed: [],
}));

/**
 * @param path levels that cover the same place, the widest first
 * @param depth how many of them count
 * @returns a category, 0 for none
 */
export function verdict(path: readonly Level[], depth: number): number {
  for (let i = depth - 1; i >= 0; i--) {
    for (const category of (path[i] as Level).listed) {
      let allowed = false;
      for (let k = 0; k < depth; k++) allowed ||= (path[k] as Level).allowed.includes(category);
      if (!allowed) return category;
    }
  }
  return 0;
}

/** A level with one more word about it. */
export function withEntry(level: Level, category: number, exception: boolean): Level {
  const list = exception ? level.allowed : level.listed;
  if (list.includes(category)) return level;
  return exception ? { ...level, allowed: [...list, category] } : { ...level, listed: [...list, category] };
}
