/**
 * A map that forgets: at most so many entries, the one longest untouched goes first; and what is over goes when somebody sweeps.
 * Keys come from traffic, so what is remembered by them must not grow.
 */
export interface Recent<V> {
  get(key: string): V | undefined;
  /** Puts it, as the one touched last. */
  set(key: string, value: V): void;
  delete(key: string): void;
  /** Takes away what `over` says. */
  sweep(over: (value: V) => boolean): void;
  values(): IterableIterator<V>;
  readonly size: number;
}

/** @param forgotten is told what went for lack of room */
export function createRecent<V>(most: number, forgotten: (value: V, key: string) => void = () => {}): Recent<V> {
  const entries = new Map<string, V>();
  return {
    get: (key) => entries.get(key),
    set(key, value) {
      entries.delete(key);
      if (entries.size >= most) {
        const [oldest] = entries;
        if (oldest !== undefined) {
          entries.delete(oldest[0]);
          forgotten(oldest[1], oldest[0]);
        }
      }
      entries.set(key, value);
    },
    delete: (key) => void entries.delete(key),
    sweep(over) {
      for (const [key, value] of entries) if (over(value)) entries.delete(key);
    },
    values: () => entries.values(),
    get size() {
      return entries.size;
    },
  };
}
