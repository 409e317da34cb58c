/**
 * What the scripts of all interfaces have in common, in the main thread: their files, which are watched; the users' switches; the
 * `ntop` cache; traces of calls.
 *
 *   files.ts ──changes──► every host      cache of a host ──► the others, settings.db      traces ──► explain
 *
 * Made by patrol.ts, one per run.
 */
import type { Config } from '../config.ts';
import type { Log } from '../patrol-types.ts';
import type { Preferences } from '../preferences.ts';
import type { CacheStore } from '../store/script-cache.ts';
import type { ScriptSwitches } from '../store/script-switches.ts';
import { type CacheChange, createScriptCache } from './cache.ts';
import { createScriptFiles } from './files.ts';
import type { FileChange } from './host.ts';
import type { ScriptHosts } from './hosts.ts';
import type { ScriptSwitch } from './report.ts';
import type { TraceEntry } from './trace.ts';

/** How often the folders of scripts are looked at, ms: a change takes effect when it was there at two looks. */
const WATCH_MS = 400;
/** Traces that are kept, the newest. */
const MOST_TRACES = 50_000;

/** What is kept between runs. Without them a run starts from nothing and leaves nothing. */
export interface ScriptStores {
  readonly switches?: ScriptSwitches;
  readonly cache?: CacheStore;
}

/** What others ask of it: the programming interface, the command line. */
export interface ScriptControl {
  /** @param interfaceName undefined = all */
  switch(interfaceName: string | undefined, key: string, to: ScriptSwitch): void;
  /** Source of a script as it is loaded, or was refused; undefined = there is none of that path. */
  source(path: string): string | undefined;
  /** Traces of calls from now on of the flows that match; '' = of none. */
  traceFilter(filter: string): void;
  /** The filter that is in force. */
  tracedFilter(): string;
  /** The traces that are there, oldest first. */
  traces(): readonly (TraceEntry & { readonly interface: string })[];
}

export interface ScriptService {
  readonly control: ScriptControl;
  preferences(): Preferences;
  /** All files as they are. */
  files(): FileChange[];
  switchesOf(interfaceName: string): ReadonlyMap<string, ScriptSwitch>;
  cache(): readonly CacheChange[];
  /** Stores what a host's scripts have kept, and tells the other hosts. */
  keep(changes: readonly CacheChange[], from: object): void;
  trace(interfaceName: string, entries: readonly TraceEntry[]): void;
  /** The filter of traces that is in force. */
  filter(): string;
  /** Looks at the files from now on. */
  watch(): void;
  close(): void;
}

interface Options {
  readonly config: Config;
  readonly log: Log;
  readonly stores: ScriptStores;
  readonly preferences: () => Preferences;
  readonly interfaces: () => readonly { readonly name: string; readonly hosts: ScriptHosts | undefined }[];
}

export function createScriptService({ config, log, stores, preferences, interfaces }: Options): ScriptService {
  const folder = config.scripts ? createScriptFiles(config.scriptDirectories, (message) => log.warn({}, message)) : undefined;
  const files = new Map<string, FileChange>();
  const switches = new Map<string, Map<string, ScriptSwitch>>(); // of this run, where nothing is stored
  // a copy of what all hosts have: for hosts that are made anew
  const cache = createScriptCache({ now: () => 0 });
  cache.apply(stores.cache?.load(Date.now() / 1000) ?? []);
  let traces: (TraceEntry & { readonly interface: string })[] = [];
  let filter = '';
  let timer: NodeJS.Timeout | undefined;
  let complained = false;

  function scan(): FileChange[] {
    const changes = folder?.scan() ?? [];
    for (const change of changes) {
      if (change.version === undefined && change.error === undefined) files.delete(change.path);
      else files.set(change.path, change);
    }
    return changes;
  }

  const hostsOf = (name?: string): ScriptHosts[] =>
    interfaces().flatMap((running) =>
      (name === undefined || running.name === name) && running.hosts !== undefined ? [running.hosts] : [],
    );

  return {
    preferences,
    filter: () => filter,
    files() {
      if (files.size === 0) scan();
      return [...files.values()];
    },
    switchesOf: (name) => stores.switches?.of(name) ?? new Map([...(switches.get('') ?? []), ...(switches.get(name) ?? [])]),
    cache: cache.state,
    keep(changes, from) {
      cache.apply(changes);
      for (const hosts of hostsOf()) hosts.tell({ type: 'cache', changes }, from);
      try {
        stores.cache?.store(changes);
      } catch (error) {
        if (!complained) log.error({}, `what scripts keep is not stored: ${(error as Error).message}`);
        complained = true;
      }
    },
    trace(name, entries) {
      for (const entry of entries) traces.push({ ...entry, interface: name });
      if (traces.length > MOST_TRACES * 1.2) traces = traces.slice(-MOST_TRACES);
    },
    watch() {
      if (folder === undefined) return;
      timer = setInterval(() => {
        const changes = scan();
        if (changes.length > 0) for (const hosts of hostsOf()) hosts.files(changes);
      }, WATCH_MS);
      timer.unref();
    },
    close() {
      clearInterval(timer);
      stores.cache?.close();
    },
    control: {
      switch(name, key, to) {
        stores.switches?.set(name, key, to);
        const row = switches.get(name ?? '') ?? new Map<string, ScriptSwitch>();
        switches.set(name ?? '', row.set(key, to));
        for (const hosts of hostsOf(name)) hosts.switch(key, to);
      },
      source(path) {
        const version = files.get(path)?.version;
        return version === undefined ? undefined : Buffer.from(version.source).toString('utf8');
      },
      traceFilter(wanted) {
        filter = wanted;
        for (const hosts of hostsOf()) hosts.tell({ type: 'trace', filter: wanted });
      },
      tracedFilter: () => filter,
      traces: () => traces,
    },
  };
}
