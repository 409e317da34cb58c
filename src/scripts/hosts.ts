/**
 * The script hosts of one interface, seen from the main thread: one for all scripts, and one more for each script that once did not
 * return.
 *
 *   start() ──► host of all (hosting/host-thread.ts) ──ring──► host of a single script (hosting/own-hosts.ts)
 *                 │ hosting/watch.ts: a call that takes too much CPU time is ended from outside
 *                 └ the next host goes on behind the call that it died in; its script, which is known, goes into a host of its own
 *
 * Made by patrol.ts, one per interface that has scripts or exports.
 */
import { randomInt } from 'node:crypto';
import type { MessagePort } from 'node:worker_threads';
import type { Config } from '../config.ts';
import { CALLBACK_BIT, CALLBACKS } from '../flows/event.ts';
import type { Names } from '../flows/view.ts';
import type { HostData as HostBookData } from '../hosts/host-book.ts';
import type { HostCommand, HostData, HostMessage, HostReport } from '../interfaces/protocol.ts';
import type { Log } from '../patrol-types.ts';
import type { Preferences } from '../preferences.ts';
import { createRecordingState } from '../recording/writer.ts';
import type { CacheChange } from './cache.ts';
import { foldersOf } from './files.ts';
import type { FileChange } from './host.ts';
import { createFigures } from './hosting/figures.ts';
import { createFileBook } from './hosting/file-book.ts';
import { type HostThread, startHostThread } from './hosting/host-thread.ts';
import { listAgain } from './hosting/listing.ts';
import { createOwnHosts } from './hosting/own-hosts.ts';
import { logSaid } from './hosting/said.ts';
import { unmaskedCallbacks } from './mask.ts';
import type { ScriptReport, ScriptSwitch } from './report.ts';
import { createTallyBuffer, openTallies } from './tally.ts';
import type { LoadTask } from './testing/watched.ts';

/** Hosts that are ended in a row without a script to blame, before the interface gives up: something else is wrong. */
const MOST_UNEXPLAINED = 5;

export interface HostsOptions {
  readonly id: number;
  readonly name: string;
  readonly live: boolean;
  readonly config: Config;
  readonly names: Names;
  readonly ring: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  readonly hosts: HostBookData;
  readonly outputLock: SharedArrayBuffer;
  readonly log: Log;
  readonly preferences: () => Preferences;
  readonly files: readonly FileChange[];
  readonly switches: ReadonlyMap<string, ScriptSwitch>;
  /** What the `ntop` cache holds now. */
  readonly cache: () => readonly CacheChange[];
  /** Filter of the flows whose calls are traced. */
  readonly traceFilter: () => string;
  /** Somebody takes alerts. */
  readonly alerts?: boolean;
  /** Somebody takes flows for the history. */
  readonly flows?: boolean;
  /** Gives the other end of a port per interface thread, through which changes of flows come. */
  readonly attach: () => MessagePort[];
  /** Number under which the host of this place (0 = of all scripts) holds the lock of the exports. */
  readonly lockHolder: (place: number) => number;
  readonly on: {
    /**
     * Messages that are not about scripts: names, flows, alerts, batches for the history, traces, the cache.
     * @returns a promise where the host should not say much more until it has resolved
     */
    message(message: HostMessage, from: object): Promise<void> | undefined;
    failed(error: string): void;
    ended(): void;
  };
}

export interface ScriptHosts {
  reports(): ScriptReport[];
  report(): HostReport | undefined;
  /** Calls ended from outside. */
  callsEnded(): number;
  /** Export lines that went with hosts that were ended. */
  linesLost(): number;
  /** Flows that did not get on their way into the history. */
  flowsLost(): number;
  files(changes: readonly FileChange[]): void;
  switch(key: string, to: ScriptSwitch): void;
  /** To every host but `except`. */
  tell(command: HostCommand, except?: object): void;
  terminate(): Promise<void>;
}

export function startHosts(options: HostsOptions): ScriptHosts {
  const { name, live, config, log, on } = options;
  const book = createFileBook(options.files);
  const switches = new Map(options.switches);
  const mask = unmaskedCallbacks(config, live).reduce((bits, callback) => bits | CALLBACK_BIT[callback], 0);
  const shared = createTallyBuffer();
  const tallies = openTallies(shared, mask);
  const seed = live ? randomInt(2 ** 31) : 0;
  const recording = config.recordTo === undefined ? undefined : createRecordingState();
  const started: HostThread[] = [];
  const exiting = new Set<Promise<unknown>>();
  let callsEnded = 0;
  let unexplained = 0;
  let closed = false;
  /** When the host was ended in whose place others are being started now. */
  let endedAt: number | undefined;
  let main: HostThread | undefined;
  const own = createOwnHosts({
    live,
    tallies,
    numberOf: book.numberOf,
    launch: (path, ring, place, resume) => launch(ring, resume, path, place),
    terminate,
    tell: (command) => main?.tell(command),
    complain: (path, what) => log.error({ script: figures.keyOf(path), interface: name }, what),
    fewer: () => settle(),
  });
  const all = (): HostThread[] => [...(main === undefined ? [] : [main]), ...own.hosts()];
  const figures = createFigures({ book, tallies, hosts: all, rests: own.rests });

  function launch(ring: SharedArrayBuffer, resume: HostData['resume'], path?: string, place = 0): HostThread {
    const data = {
      id: options.id,
      name,
      kind: live ? 'packet' : 'pcap',
      config,
      names: options.names,
      preferences: options.preferences(),
      ring,
      hosts: options.hosts,
      flows: options.attach(),
      control: options.control,
      tallies: shared,
      outputLock: options.outputLock,
      lockHolder: options.lockHolder(place),
      seed,
      recording,
      alerts: options.alerts === true,
      files: config.scripts ? book.files(path) : [],
      switches,
      cache: options.cache(),
      excluded: new Set(path === undefined ? own.paths() : []),
      resume,
    } as const;
    const since = endedAt;
    const host = startHostThread({
      data,
      own: path,
      history: options.flows === true,
      on: {
        message(message, from) {
          if (message.type === 'report' && from.report === undefined) ready(from, since);
          return taken(from, message);
        },
        stuck: ended,
        crashed: (error) => fail(`script host: ${error.message}`),
        error: (file, message) => log.error({ interface: name }, `${file}: ${message}`),
      },
    });
    started.push(host);
    if (options.traceFilter() !== '') host.tell({ type: 'trace', filter: options.traceFilter() });
    return host;
  }

  /** It has loaded its scripts, and goes on with the events. */
  function ready({ own: path }: HostThread, since: number | undefined): void {
    if (since !== undefined) {
      const ms = Math.round(performance.now() - since);
      if (path === undefined) log.info({ interface: name, ms }, 'the host of the scripts is made anew');
      else log.info({ script: figures.keyOf(path), interface: name, ms }, 'the script goes on in a host of its own');
    }
  }

  function taken(host: HostThread, message: HostMessage): Promise<void> | undefined {
    if (logSaid(log, name, message, host.report !== undefined)) return undefined;
    switch (message.type) {
      case 'report':
        host.report = message.report;
        return undefined;
      case 'failed':
        fail(`script host: ${message.error}`);
        return undefined;
      case 'ended':
        host.report = message.report;
        host.ended = true;
        settle();
        return undefined;
      default:
        return on.message(message, host);
    }
  }

  function settle(): void {
    if (closed || main?.ended !== true || own.hosts().some((host) => !host.ended)) return;
    closed = true;
    own.close();
    on.ended();
    const { tried } = main.versions();
    if (!live && [...book.newest()].some(([path, hash]) => tried.get(path) !== hash)) listFiles(); // it was through before it heard of them
  }

  /** Nothing runs any more: the files as they are now. */
  function listFiles(): void {
    const before = new Map(figures.reports(switches).map(({ path, hash, error }) => [path, { hash, error }]));
    const task = (): LoadTask => {
      book.ran({ loaded: new Map(figures.reports(switches).map(({ path, hash }) => [path, hash])), tried: book.newest() });
      return {
        names: options.names,
        directories: foldersOf(config.scriptDirectories),
        language: config.language,
        switches,
        files: book.files().map(({ change }) => change),
      };
    };
    const listed = (reports: readonly ScriptReport[]): void => {
      figures.listed(reports);
      for (const { path, key, hash, error } of reports) {
        const of = { script: key, interface: name };
        if (error !== undefined && error !== before.get(path)?.error) log.error(of, error);
        else if (hash !== before.get(path)?.hash)
          log.info({ ...of, version: hash }, 'the script is loaded; nothing runs any more that would call it');
      }
    };
    listAgain(task).then(listed, (error: Error) =>
      log.error({ interface: name }, `scripts that have changed are not listed: ${error.message}`),
    );
  }

  function fail(error: string): void {
    if (closed) return;
    closed = true;
    on.failed(error);
  }

  function terminate(host: HostThread, then: () => void): void {
    const exit = host.terminate();
    exiting.add(exit);
    void exit.then((kept) => {
      exiting.delete(exit);
      if (closed) return;
      if (kept.length > 0) on.message({ type: 'cache', changes: kept }, host);
      figures.gone(host);
      then();
    });
  }

  /** A host was ended in the middle of a call. Nothing of that call is told to anybody. */
  function ended(host: HostThread, why: string): void {
    callsEnded++;
    const since = performance.now();
    terminate(host, () => {
      endedAt = since;
      const { script, what, callback } = host.lastCall();
      const name = CALLBACKS[callback];
      if (script !== undefined && what === 'call' && name !== undefined) {
        const tally = tallies.of(book.numberOf(script.path), name);
        tally.called();
        tally.failed('ended');
      }
      book.ran(host.versions());
      if (host.own !== undefined) {
        figures.stateLost([host.own]);
        own.replace(host, why);
      } else {
        replaceMain(host, why);
      }
      endedAt = undefined;
    });
  }

  function replaceMain(host: HostThread, why: string): void {
    const { script, what, done } = host.lastCall();
    const { ring } = host;
    figures.stateLost(book.paths().filter((path) => own.rests(path) === undefined));
    if (what !== 'call') {
      // what was unloaded is gone with the host
      if (script !== undefined && what === 'load' && book.isNewest(script.path, script.hash)) {
        book.refuse(script.path, `loading it, with its setup(), ${why} and was ended`);
      }
      startMain(ring, done < 0 ? undefined : { done });
      return;
    }
    if (script === undefined && ++unexplained > MOST_UNEXPLAINED) {
      fail(`script hosts had to be ended ${unexplained} times, and no script is to blame`);
      return;
    }
    if (script === undefined || !book.runs(script.path, script.hash)) {
      // the version that did not return is no more: the new one stands for itself
      if (script === undefined) log.warn({ interface: name }, `the host of the scripts ${why} and was ended, in no script`);
      else
        log.error({ script: figures.keyOf(script.path), interface: name }, `the script ${why} and was ended; its file has changed since`);
      startMain(ring, { done });
      return;
    }
    unexplained = 0;
    const { path } = script;
    log.error({ script: figures.keyOf(path), interface: name }, `the script ${why} and was ended; it goes on in a host of its own`);
    own.add(path);
    startMain(ring, { done, handOn: path });
    own.start(path, done);
  }

  function startMain(ring: SharedArrayBuffer, resume: HostData['resume']): void {
    main = launch(ring, resume);
    own.introduce();
  }

  startMain(options.ring, undefined);

  return {
    report: figures.joined,
    reports: () => figures.reports(main?.ended === true ? switches : undefined),
    callsEnded: () => callsEnded,
    linesLost: () => started.reduce((sum, host) => sum + host.linesLost(), 0),
    flowsLost: () => started.reduce((sum, host) => sum + host.flowsLost(), 0),

    files(changes) {
      for (const { path } of changes) own.rejoin(path);
      const files = changes.map(book.keep);
      if (main?.ended === true && closed) listFiles();
      else main?.tell({ type: 'files', files });
    },

    switch(key, to) {
      if (to === 'on') switches.delete(key);
      else switches.set(key, to);
      for (const host of all()) host.tell({ type: 'switch', key, to });
      if (to === 'off') return;
      for (const path of own.paths()) if (own.rests(path) === true && figures.keyOf(path) === key) own.renew(path);
    },

    tell(command, except) {
      for (const host of all()) if (host !== except) host.tell(command);
    },

    async terminate() {
      closed = true;
      own.close();
      await Promise.all([...exiting, ...all().map((host) => host.terminate())]);
    },
  };
}
