/**
 * The `ntop` cache that scripts keep things in: texts with a time to live, hashes, sets and lists. It is in the memory of the
 * script host; the main thread stores what changed and hands it to the other hosts.
 *
 *   script ──get, set──► ScriptCache ──takeChanges──► main ──► settings.db, other hosts ──apply──► their ScriptCache
 */

/** All values are bytes in Latin-1 form. A missing text is undefined; who calls makes `""` of it where the original does. */
export interface ScriptCache {
  get(key: string): string | undefined;
  /** @param ttl seconds of the interface's clock; 0 or undefined = for ever */
  set(key: string, value: string, ttl?: number): void;
  delete(key: string): void;
  /** Adds to the whole number under a key; a missing one is 0. @returns the sum */
  increment(key: string, by: number): number;
  expire(key: string, ttl: number): void;
  /** Keys that match a pattern with `*` and `?`, of all kinds, sorted. */
  keys(pattern: string): string[];
  hashGet(key: string, field: string): string | undefined;
  hashSet(key: string, field: string, value: string): void;
  hashDelete(key: string, field: string): void;
  /** Undefined when there is no such hash. */
  hashAll(key: string): ReadonlyMap<string, string> | undefined;
  setAdd(key: string, member: string): void;
  setRemove(key: string, member: string): void;
  setHas(key: string, member: string): boolean;
  /** Sorted. */
  setMembers(key: string): string[];
  /** @param keep most elements that stay; the oldest go. */
  listPush(key: string, value: string, end: 'left' | 'right', keep?: number): void;
  listPop(key: string, end: 'left' | 'right'): string | undefined;
  listLength(key: string): number;
  /** Inclusive positions; negative ones count from the end. */
  listRange(key: string, first: number, last: number): string[];
}
