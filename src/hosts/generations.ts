/**
 * A bounded map that forgets what was not asked for lately, at the cost of a plain map: entries live in a young and an old
 * generation of half the limit each. When the young one is full it becomes the old one, and what was in the old one and not
 * asked for since is gone. Used by the book of hosts and the resolver.
 */

export interface Generations<K, V> {
  get(key: K): V | undefined;
  /** Like `get`, but does not count as use. */
  peek(key: K): V | undefined;
  set(key: K, value: V): void;
  readonly size: number;
}

/**
 * @param limit most entries at one time
 * @param kept called when an entry of the old generation was asked for: at most once per entry and generation
 */
export function createGenerations<K, V>(limit: number, kept?: (key: K) => void): Generations<K, V> {
  const half = Math.max(1, Math.floor(limit / 2));
  let young = new Map<K, V>();
  let old = new Map<K, V>();

  const set = (key: K, value: V): void => {
    if (young.size >= half && !young.has(key)) {
      old = young;
      young = new Map();
    }
    young.set(key, value);
  };

  return {
    get(key) {
      const value = young.get(key);
      if (value !== undefined) return value;
      const before = old.get(key);
      if (before === undefined) return undefined;
      old.delete(key);
      set(key, before);
      kept?.(key);
      return before;
    },
    peek: (key) => young.get(key) ?? old.get(key),
    set(key, value) {
      old.delete(key);
      set(key, value);
    },
    get size() {
      return young.size + old.size;
    },
  };
}
