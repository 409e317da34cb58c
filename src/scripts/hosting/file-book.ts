/**
 * The files of scripts as the hosts of an interface are to have them: changes in, what a host that is made anew starts with. Called by
 * hosts.ts.
 */
import type { HostFile } from '../../interfaces/protocol.ts';
import type { FileChange } from '../host.ts';
import type { ScriptVersion } from '../runtime.ts';

/** Of one host, by path: hashes of the versions that are loaded, and of those that were tried last. */
export interface HostVersions {
  readonly loaded: ReadonlyMap<string, string | undefined>;
  readonly tried: ReadonlyMap<string, string | undefined>;
}

export interface FileBook {
  /** Takes a new state of a file over. */
  keep(change: FileChange): HostFile;
  /** What a new host starts with; of a file whose newest version was refused also the one that runs. @param own path of its only script */
  files(own?: string): HostFile[];
  paths(): string[];
  has(path: string): boolean;
  /** The number that stands for a file in the counts of calls; it has it for ever. */
  numberOf(path: string): number;
  /** A host is gone, which had these: the next one is to have the same. */
  ran(versions: HostVersions): void;
  /** Hashes of the newest versions by path. */
  newest(): Map<string, string | undefined>;
  isNewest(path: string, hash: string): boolean;
  /** Is this the version that a new host would run? Its file may have changed since. */
  runs(path: string, hash: string): boolean;
  /** Its newest version cannot be loaded: the one before it runs on, if there is one. */
  refuse(path: string, error: string): void;
}

/** Versions of a file that are remembered: the newest ones may all have been refused. */
const MOST_VERSIONS = 8;

export function createFileBook(first: readonly FileChange[]): FileBook {
  const files = new Map<string, HostFile>();
  const numbers = new Map<string, number>();
  const history = new Map<string, ScriptVersion[]>();
  /** Versions that run because the newest was refused. */
  const running = new Map<string, ScriptVersion>();

  function numberOf(path: string): number {
    const number = numbers.get(path) ?? numbers.size + 1;
    numbers.set(path, number);
    return number;
  }

  function keep(change: FileChange): HostFile {
    const { path, version, error } = change;
    const file = { number: numberOf(path), change };
    if (version === undefined && error === undefined) {
      for (const known of [files, history, running]) known.delete(path);
      return file;
    }
    if (version !== undefined) history.set(path, [...(history.get(path) ?? []), version].slice(-MOST_VERSIONS));
    // one that cannot be read leaves the version that runs where it is
    if (version !== undefined || !files.has(path)) files.set(path, file);
    return file;
  }

  const newest = (path: string): string | undefined => files.get(path)?.change.version?.hash;

  for (const change of first) keep(change);
  return {
    keep,
    numberOf,
    files: (own) =>
      [...files.values()]
        .filter(({ change }) => own === undefined || change.path === own)
        .flatMap((file) => {
          const { path } = file.change;
          const version = running.get(path);
          return version === undefined ? [file] : [{ number: file.number, change: { path, version } }, file];
        }),
    paths: () => [...files.keys()],
    has: (path) => files.has(path),
    ran({ loaded, tried }) {
      for (const [path, last] of tried) {
        running.delete(path);
        const hash = loaded.get(path);
        const version = history.get(path)?.findLast((each) => each.hash === hash);
        if (version !== undefined && hash !== last && last === newest(path)) running.set(path, version);
      }
    },
    newest: () => new Map([...files.keys()].map((path) => [path, newest(path)])),
    isNewest: (path, hash) => newest(path) === hash,
    runs: (path, hash) => (running.get(path)?.hash ?? newest(path)) === hash,
    refuse(path, error) {
      const version = running.get(path);
      running.delete(path);
      files.set(path, { number: numberOf(path), change: { path, error, ...(version === undefined ? {} : { version }) } });
    },
  };
}
