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

/** The state of a key, or of a part of it, after changes; plain data. `until` is a time of the interface's clock in s, 0 = for ever. */
export type CacheChange =
  | { readonly type: 'delete'; readonly key: string }
  | { readonly type: 'text'; readonly key: string; readonly value: string; readonly until: number }
  /** Without a value the field is gone. */
  | { readonly type: 'field'; readonly key: string; readonly field: string; readonly value?: string }
  | { readonly type: 'member'; readonly key: string; readonly member: string; readonly there: boolean }
  | { readonly type: 'list'; readonly key: string; readonly values: readonly string[] }
  | { readonly type: 'until'; readonly key: string; readonly until: number };

export interface CacheCounters {
  /** Keys, and an estimate of the bytes that they take. */
  readonly keys: number;
  readonly bytes: number;
  readonly expired: number;
  /** Writes that failed because the cache was full; the script that wrote got an error. */
  readonly refused: number;
  /** Changes that nobody took in time: they are here and not stored. */
  readonly unstored: number;
}

export interface SharedCache extends ScriptCache {
  /** Has anything changed since the last `takeChanges`? */
  dirty(): boolean;
  /** What has changed since the last call, only the newest state of each key, field and member. In an order that `apply` needs. */
  takeChanges(): CacheChange[];
  /** All that there is, as changes for an empty cache. */
  state(): CacheChange[];
  /** Takes over changes of another cache, or what was stored; they are not handed out again. */
  apply(changes: Iterable<CacheChange>): void;
  counters(): CacheCounters;
}

export interface ScriptCacheOptions {
  /** The interface's clock, s. */
  readonly now: () => number;
  readonly mostBytes?: number;
  /** Changes kept for `takeChanges`. */
  readonly mostChanges?: number;
}

/** A write for which there is no room, or that does not fit what the key holds. */
export class CacheError extends Error {}

const MOST_BYTES = 64 << 20;
const MOST_CHANGES = 200_000;
/** What a key, a field, a member or an element takes beside its characters. */
const OVERHEAD = 64;

type Kind = 'text' | 'hash' | 'set' | 'list';
interface Entry {
  kind: Kind;
  until: number;
  text: string;
  readonly fields: Map<string, string>;
  readonly members: Set<string>;
  list: List;
}

/** A queue whose left end is cheap to take from: `taken` elements at the start are gone. */
interface List {
  values: string[];
  taken: number;
}
const lengthOf = ({ values, taken }: List): number => values.length - taken;

/** What has changed of one key. */
interface Pending {
  /** It was deleted, or became of another kind, before the rest. */
  cleared: boolean;
  list: boolean;
  until: boolean;
  readonly fields: Set<string>;
  readonly members: Set<string>;
}

const NO_MEMBERS: ReadonlySet<string> = new Set();

/** Does `*` (any text) and `?` (one character) match? In linear space and, at worst, the product of both lengths. */
export function matches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let from = 0;
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p++;
      from = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

export function createScriptCache({ now, mostBytes = MOST_BYTES, mostChanges = MOST_CHANGES }: ScriptCacheOptions): SharedCache {
  const entries = new Map<string, Entry>();
  let pending = new Map<string, Pending>();
  let changes = 0;
  let bytes = 0;
  let expired = 0;
  let refused = 0;
  let unstored = 0;
  /** Changes that come from elsewhere are not handed out. */
  let applying = false;

  const contents = (entry: Entry): number => {
    let sum = entry.text.length;
    for (const [field, value] of entry.fields) sum += OVERHEAD + field.length + value.length;
    for (const member of entry.members) sum += OVERHEAD + member.length;
    for (let i = entry.list.taken; i < entry.list.values.length; i++) sum += OVERHEAD + (entry.list.values[i] as string).length;
    return sum;
  };

  function drop(key: string, entry: Entry): void {
    bytes -= OVERHEAD + key.length + contents(entry);
    entries.delete(key);
  }

  const isOver = (entry: Entry): boolean => entry.until !== 0 && entry.until <= now();

  function find(key: string): Entry | undefined {
    const entry = entries.get(key);
    // changes from elsewhere were made before the key was over: they may be a part of it, or give it more time
    if (entry === undefined || applying || !isOver(entry)) return entry;
    drop(key, entry);
    expired++;
    return undefined;
  }

  /** Who reads its values knows by itself when a key is over: that is no change. */
  function sweep(): void {
    for (const key of entries.keys()) find(key);
  }

  function reserve(more: number): void {
    if (more <= 0 || applying || bytes + more <= mostBytes) return;
    sweep();
    if (bytes + more <= mostBytes) return;
    refused++;
    throw new CacheError(
      `the cache of the scripts is full (${Math.round(mostBytes / 2 ** 20)} MiB): delete keys, or give them a time to live`,
    );
  }

  /** The entry to read of, undefined if there is none. */
  function of(key: string, kind: Kind): Entry | undefined {
    const entry = find(key);
    if (entry !== undefined && entry.kind !== kind) throw new CacheError(`the cache key '${key}' holds a ${entry.kind}, not a ${kind}`);
    return entry;
  }

  /** The entry to write to, made if there is none. */
  function at(key: string, kind: Kind, more: number): Entry {
    const found = of(key, kind);
    reserve(found === undefined ? OVERHEAD + key.length + more : more);
    if (found !== undefined) return found;
    const entry: Entry = { kind, until: 0, text: '', fields: new Map(), members: new Set(), list: { values: [], taken: 0 } };
    entries.set(key, entry);
    bytes += OVERHEAD + key.length;
    // the fields or members of one that is over may still be stored
    if (kind === 'hash' || kind === 'set') cleared(key);
    return entry;
  }

  function changed(key: string, change: (of: Pending) => void): void {
    if (applying) return;
    let of = pending.get(key);
    if (of === undefined) {
      if (changes >= mostChanges) {
        unstored++;
        return;
      }
      of = { cleared: false, list: false, until: false, fields: new Set(), members: new Set() };
      pending.set(key, of);
      changes++;
    }
    const before = of.fields.size + of.members.size;
    change(of);
    changes += of.fields.size + of.members.size - before;
  }

  function cleared(key: string): void {
    changed(key, (of) => {
      of.cleared = true;
      of.list = of.until = false;
      of.fields.clear();
      of.members.clear();
    });
  }

  function remove(key: string): void {
    const entry = find(key);
    if (entry === undefined) return;
    drop(key, entry);
    cleared(key);
  }

  function put(key: string, value: string, until: number): void {
    const before = find(key);
    if (before !== undefined && before.kind !== 'text') remove(key);
    const entry = at(key, 'text', value.length - (before?.kind === 'text' ? before.text.length : 0));
    bytes += value.length - entry.text.length;
    entry.text = value;
    entry.until = until;
    changed(key, () => {}); // a text is handed out whole
  }

  /** A container without contents is no key. */
  function emptied(key: string, entry: Entry): void {
    if (entry.fields.size + entry.members.size + lengthOf(entry.list) === 0) drop(key, entry);
  }

  function setField(key: string, field: string, value: string | undefined): void {
    const before = of(key, 'hash')?.fields.get(field);
    if (before === undefined && value === undefined) return;
    const size = value === undefined ? -OVERHEAD - field.length : before === undefined ? OVERHEAD + field.length : 0;
    const more = size + (value?.length ?? 0) - (before?.length ?? 0);
    const entry = at(key, 'hash', more);
    bytes += more;
    if (value === undefined) entry.fields.delete(field);
    else entry.fields.set(field, value);
    changed(key, (of) => of.fields.add(field));
    emptied(key, entry);
  }

  function setMember(key: string, member: string, there: boolean): void {
    if ((of(key, 'set')?.members.has(member) ?? false) === there) return;
    const more = (OVERHEAD + member.length) * (there ? 1 : -1);
    const entry = at(key, 'set', more);
    bytes += more;
    if (there) entry.members.add(member);
    else entry.members.delete(member);
    changed(key, (of) => of.members.add(member));
    emptied(key, entry);
  }

  function take(list: List, end: 'left' | 'right'): string {
    if (end === 'right') {
      bytes -= OVERHEAD + (list.values.at(-1) as string).length;
      return list.values.pop() as string;
    }
    const value = list.values[list.taken] as string;
    bytes -= OVERHEAD + value.length;
    list.values[list.taken++] = '';
    if (list.taken > 32 && list.taken * 2 > list.values.length) {
      list.values = list.values.slice(list.taken);
      list.taken = 0;
    }
    return value;
  }

  const listChanged = (key: string): void =>
    changed(key, (of) => {
      of.list = true;
    });

  function replaceList(key: string, values: readonly string[]): void {
    remove(key);
    if (values.length === 0) return;
    const entry = at(key, 'list', values.length * OVERHEAD);
    entry.list.values = [...values];
    bytes += contents(entry);
    listChanged(key);
  }

  function setUntil(key: string, until: number): void {
    const entry = find(key);
    if (entry === undefined) return;
    entry.until = until;
    changed(key, (of) => {
      of.until = true;
    });
  }

  const untilOf = (ttl: number): number => (ttl > 0 ? now() + ttl : 0);

  function* changesOf(key: string, of: Pending): Generator<CacheChange> {
    const entry = entries.get(key);
    if (of.cleared || entry === undefined) yield { type: 'delete', key };
    if (entry === undefined) return;
    if (entry.kind === 'text') yield { type: 'text', key, value: entry.text, until: entry.until };
    if (entry.kind === 'list' && of.list) yield { type: 'list', key, values: entry.list.values.slice(entry.list.taken) };
    if (entry.kind === 'hash') {
      for (const field of of.fields) {
        const value = entry.fields.get(field);
        yield { type: 'field', key, field, ...(value === undefined ? {} : { value }) };
      }
    }
    if (entry.kind === 'set') for (const member of of.members) yield { type: 'member', key, member, there: entry.members.has(member) };
    // also when it has not changed: who takes this over may have found the key over and make a new one of this part
    if (entry.kind !== 'text' && (of.until || entry.until !== 0)) yield { type: 'until', key, until: entry.until };
  }

  function applyOne(change: CacheChange): void {
    const { key } = change;
    const kind = { delete: '', text: 'text', field: 'hash', member: 'set', list: 'list', until: '' }[change.type];
    const there = find(key);
    if (kind !== '' && there !== undefined && there.kind !== kind) remove(key); // two hosts disagree: the later one wins
    switch (change.type) {
      case 'delete':
        remove(key);
        break;
      case 'text':
        put(key, change.value, change.until);
        break;
      case 'field':
        setField(key, change.field, change.value);
        break;
      case 'member':
        setMember(key, change.member, change.there);
        break;
      case 'list':
        replaceList(key, change.values);
        break;
      case 'until':
        setUntil(key, change.until);
        break;
    }
  }

  return {
    get: (key) => of(key, 'text')?.text,
    set: (key, value, ttl = 0) => put(key, value, untilOf(ttl)),
    delete: remove,
    increment(key, by) {
      const entry = of(key, 'text');
      const before = entry?.text ?? '0';
      const sum = /^-?\d+$/.test(before) ? Number(before) + by : Number.NaN;
      if (!Number.isSafeInteger(sum)) throw new CacheError(`the cache key '${key}' holds no whole number that ${by} can be added to`);
      put(key, String(sum), entry?.until ?? 0);
      return sum;
    },
    expire: (key, ttl) => (ttl > 0 ? setUntil(key, now() + ttl) : remove(key)),
    keys(pattern) {
      sweep();
      return [...entries.keys()].filter((key) => matches(pattern, key)).sort();
    },
    hashGet: (key, field) => of(key, 'hash')?.fields.get(field),
    hashSet: setField,
    hashDelete: (key, field) => setField(key, field, undefined),
    hashAll: (key) => of(key, 'hash')?.fields,
    setAdd: (key, member) => setMember(key, member, true),
    setRemove: (key, member) => setMember(key, member, false),
    setHas: (key, member) => of(key, 'set')?.members.has(member) ?? false,
    setMembers: (key) => [...(of(key, 'set')?.members ?? NO_MEMBERS)].sort(),
    listPush(key, value, end, keep) {
      const { list } = at(key, 'list', OVERHEAD + value.length);
      bytes += OVERHEAD + value.length;
      if (end === 'right') list.values.push(value);
      else if (list.taken > 0) list.values[--list.taken] = value;
      else list.values.unshift(value);
      while (keep !== undefined && keep > 0 && lengthOf(list) > keep) take(list, end === 'right' ? 'left' : 'right');
      listChanged(key);
    },
    listPop(key, end) {
      const entry = of(key, 'list');
      if (entry === undefined) return undefined;
      const value = take(entry.list, end);
      listChanged(key);
      emptied(key, entry);
      return value;
    },
    listLength: (key) => lengthOf(of(key, 'list')?.list ?? { values: [], taken: 0 }),
    listRange(key, first, last) {
      const list = of(key, 'list')?.list;
      if (list === undefined) return [];
      const length = lengthOf(list);
      const from = Math.max(0, first < 0 ? length + first : first);
      const to = last < 0 ? length + last : last;
      return list.values.slice(list.taken + from, Math.max(0, list.taken + to + 1));
    },
    dirty: () => pending.size > 0,
    takeChanges() {
      const taken = pending;
      pending = new Map();
      changes = 0;
      return [...taken].flatMap(([key, of]) => [...changesOf(key, of)]);
    },
    state() {
      sweep();
      return [...entries].flatMap(([key, { fields, members }]) => [
        ...changesOf(key, {
          cleared: false,
          list: true,
          until: true,
          fields: new Set(fields.keys()),
          members: new Set(members),
        }),
      ]);
    },
    apply(all) {
      applying = true;
      try {
        for (const change of all) applyOne(change);
      } finally {
        applying = false;
      }
    },
    counters: () => ({ keys: entries.size, bytes, expired, refused, unstored }),
  };
}
