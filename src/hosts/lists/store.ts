/**
 * The lists of a run: read and downloaded, kept, refreshed, compiled.
 *
 * Enters: where lists come from. Leaves: compiled lists for the interface threads, and a status per list. Called by the main thread,
 * which asks `due` now and then and sends what `refresh` gives. What fails keeps the last good state and is reported.
 *
 *   file   looked at every 5 s, read where time, size or file number have changed
 *   URL    asked at the start and at midnight UTC; after a failure at the next full hour, three times, then at midnight again
 */
import { createHash, randomInt } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type CompiledLists, compileLists } from './compile.ts';
import { readCopy, writeCopy } from './copies.ts';
import { isUrl, ListError, type ListFormat, type ListSource } from './declaration.ts';
import { collect, download, type Limits, unpacked, type Version } from './download.ts';
import { MAX_LINES, type ParsedList, parseList } from './parse.ts';

export interface ListStatus {
  readonly name: string;
  readonly category: number;
  readonly format: ListFormat;
  readonly source: string;
  readonly entries: number;
  readonly rejected: number;
  /** `source:line: text`, `''` for none. */
  readonly firstRejected: string;
  /** When the list was last read, or confirmed by its server, ms; 0 for never. */
  readonly lastUpdate: number;
  /** What went wrong at the last attempt, `''` if nothing did. */
  readonly lastError: string;
  readonly errors: number;
}

export interface ListStore {
  /**
   * The first time. Downloads that fail are replaced by their copies and reported.
   * @throws ListError when a file cannot be read
   */
  load(): Promise<CompiledLists>;
  /**
   * Looks at files, and at URLs that are due. One that is under way is joined.
   * @param all also at URLs that are not due
   * @returns undefined when nothing has changed
   */
  refresh(all?: boolean): Promise<CompiledLists | undefined>;
  /** @param now ms. @returns whether `refresh` has something to look at */
  due(now: number): boolean;
  /** When the next URL is asked, ms; Infinity if none is. */
  nextRefresh(): number;
  status(): ListStatus[];
}

export interface ListStoreOptions {
  readonly sources: readonly ListSource[];
  /** Data directory; without it no copies are kept. */
  readonly directory?: string;
  /** ms since 1970 */
  readonly now: () => number;
  readonly log: { info(text: string): void; warn(text: string): void };
  readonly fetch?: typeof globalThis.fetch;
  readonly limits?: Partial<Limits>;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const LOOK_AT_FILES = 5000;
const HOURLY_RETRIES = 3;
const LIMITS: Limits = { bytes: 64 << 20, lines: MAX_LINES, downloadMs: 60_000 };
const NO_VERSION: Version = { etag: '', lastModified: '' };

/** @param attempt when the list was last asked, ms. @param failures how often in a row that has failed */
export const nextAttempt = (attempt: number, failures: number): number => {
  const step = failures >= 1 && failures <= HOURLY_RETRIES ? HOUR : DAY;
  return (Math.floor(attempt / step) + 1) * step;
};

interface Entry {
  readonly source: ListSource;
  /** `''` for files and where no copies are kept. */
  readonly copy: string;
  parsed: ParsedList;
  /** Of the bytes in `parsed`. */
  digest: string;
  /** Of the file that was read last. */
  stamp: string;
  version: Version;
  lastUpdate: number;
  lastError: string;
  errors: number;
  failures: number;
  attempt: number;
}

export function createListStore(options: ListStoreOptions): ListStore {
  const { directory, now, log, fetch = globalThis.fetch } = options;
  const limits = { ...LIMITS, ...options.limits };
  const seed = randomInt(2 ** 31);
  const taken = new Set<string>();
  let lastLook = Number.NEGATIVE_INFINITY;
  let running: Promise<CompiledLists | undefined> | undefined;

  const entries: Entry[] = options.sources.map((declared) => {
    let name = declared.name;
    for (let i = 2; taken.has(name); i++) name = `${declared.name}-${i}`;
    taken.add(name);
    const source = { ...declared, name };
    return {
      source,
      copy: directory !== undefined && isUrl(source.from) ? join(directory, 'category_lists', `${name}.txt`) : '',
      parsed: parseList(new Uint8Array(0), source),
      digest: '',
      stamp: '',
      version: NO_VERSION,
      lastUpdate: 0,
      lastError: '',
      errors: 0,
      failures: 0,
      attempt: 0,
    };
  });
  const urls = entries.filter((entry) => isUrl(entry.source.from));
  const files = entries.filter((entry) => !isUrl(entry.source.from));

  const compiled = (): CompiledLists =>
    compileLists(
      entries.map((entry) => entry.parsed),
      seed,
    );

  /** A file's failure lasts until the file changes and is reported once; each failed download is one. */
  function failed(entry: Entry, error: unknown): void {
    const { message, hint = '' } = error as Error & { hint?: string };
    const again = entry.lastError === message && !isUrl(entry.source.from);
    entry.lastError = message;
    if (again) return;
    entry.errors++;
    const kept = entry.parsed.entries > 0 ? `; its ${entry.parsed.entries} last good entries stay` : '';
    log.warn(`list ${entry.source.name}: ${message}${kept}${hint === '' ? '' : ` (${hint})`}`);
  }

  /**
   * Makes bytes the content of a list.
   * @param strict refuse what does not look like a list of this format
   * @returns whether it differs from what was there
   * @throws ListError, and the list stays as it was
   */
  function take(entry: Entry, bytes: Buffer, strict: boolean): boolean {
    const digest = createHash('sha256').update(bytes).digest('base64');
    if (digest === entry.digest) return false;
    if (strict) {
      const first = bytes.find((byte) => byte > 32 && byte < 0x80);
      if (first === undefined && entry.parsed.entries > 0)
        throw new ListError('is empty now', 'a list that means to be empty has a comment line');
      if (first === 0x3c) throw new ListError('is a web page, not a list', 'does the URL need a login, or has it moved?');
    }
    const parsed = parseList(bytes, entry.source, limits.lines);
    const { rejected, rejectedLines, entries: count } = parsed;
    const lines = `${rejected} lines are no entries of format ${entry.source.format}; the first: ${rejectedLines[0]}`;
    if (strict && rejected > count) throw new ListError(lines, 'is that its format?');
    entry.parsed = parsed;
    entry.digest = digest;
    if (rejected > 0) log.warn(`list ${entry.source.name}: ${lines}`);
    log.info(`list ${entry.source.name}: ${count} entries`);
    return true;
  }

  /** @throws ListError when it cannot be read, or is broken and `strict`; the list stays as it was */
  async function readFile(entry: Entry, strict: boolean): Promise<boolean> {
    const path = entry.source.from;
    try {
      const { mtimeNs, size, ino, mode } = await stat(path, { bigint: true });
      // a pipe can be read once
      const stamp = (mode & 0o170000n) === 0o100000n ? `${mtimeNs} ${size} ${ino}` : 'once';
      if (stamp === entry.stamp) return false;
      entry.stamp = stamp;
      const bytes = await unpacked(await collect(createReadStream(path), limits.bytes), limits.bytes);
      const changed = take(entry, bytes, strict);
      entry.lastError = '';
      entry.lastUpdate = now();
      return changed;
    } catch (error) {
      if (error instanceof ListError) throw error;
      entry.stamp = '';
      throw new ListError(`cannot be read: ${(error as Error).message}`);
    }
  }

  async function ask(entry: Entry): Promise<boolean> {
    const { from } = entry.source;
    entry.attempt = now();
    try {
      const answer = await download(from, entry.version, limits, fetch);
      const changed = answer !== undefined && take(entry, answer.bytes, true);
      entry.lastError = '';
      entry.failures = 0;
      entry.lastUpdate = now();
      if (answer === undefined) return false;
      const { etag, lastModified, bytes } = answer;
      entry.version = { etag, lastModified };
      if (entry.copy !== '') {
        await writeCopy(entry.copy, { from, etag, lastModified, time: entry.lastUpdate, bytes }).catch((error: Error) => {
          entry.version = NO_VERSION; // so that the next answer is a whole one, for the next try
          failed(entry, new ListError(`the copy in the data directory cannot be written: ${error.message}`));
        });
      }
      return changed;
    } catch (error) {
      entry.failures++;
      failed(entry, error);
      return false;
    }
  }

  async function takeCopy(entry: Entry): Promise<void> {
    const copy = entry.copy === '' ? undefined : await readCopy(entry.copy, entry.source.from);
    if (copy === undefined) return;
    try {
      take(entry, copy.bytes, true);
      entry.version = copy;
      entry.lastUpdate = copy.time;
    } catch {
      // not a list of this format: the download is to replace it
    }
  }

  const due = (entry: Entry, time: number): boolean => {
    const next = nextAttempt(entry.attempt, entry.failures);
    return next <= time || next - time > DAY; // the clock was set back
  };

  async function look(all: boolean): Promise<CompiledLists | undefined> {
    lastLook = now();
    const changed = await Promise.all([
      ...files.map((entry) =>
        readFile(entry, true).catch((error) => {
          failed(entry, error);
          return false;
        }),
      ),
      ...urls.filter((entry) => all || due(entry, lastLook)).map(ask),
    ]);
    return changed.includes(true) ? compiled() : undefined;
  }

  return {
    async load() {
      lastLook = now();
      for (const entry of files) {
        await readFile(entry, false).catch(({ message, hint }: ListError) => {
          throw new ListError(`the list ${entry.source.from} ${message}`, hint);
        });
      }
      await Promise.all(
        urls.map(async (entry) => {
          await takeCopy(entry);
          await ask(entry);
        }),
      );
      return compiled();
    },
    refresh(all = false) {
      running ??= look(all).finally(() => {
        running = undefined;
      });
      return running;
    },
    due: (time) => (files.length > 0 && (time - lastLook >= LOOK_AT_FILES || time < lastLook)) || urls.some((entry) => due(entry, time)),
    nextRefresh: () => Math.min(...urls.map((entry) => nextAttempt(entry.attempt, entry.failures))),
    status: () =>
      entries.map(({ source, parsed, lastUpdate, lastError, errors }) => ({
        name: source.name,
        category: source.category,
        format: source.format,
        source: source.from,
        entries: parsed.entries,
        rejected: parsed.rejected,
        firstRejected: parsed.rejectedLines[0] ?? '',
        lastUpdate,
        lastError,
        errors,
      })),
  };
}
