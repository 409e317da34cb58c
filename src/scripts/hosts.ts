/**
 * The script hosts of one interface, seen from the main thread: one for all scripts, and one more for each script that once did not
 * return.
 *
 *   start() ──► worker.ts of all ──ring──► worker.ts of a single script
 *                 │ WATCH_*: a call that takes {@link STUCK_US} of CPU time is ended from outside
 *                 └ a new host goes on with the event it died of, script by script, until it is known which one it was
 *
 * Made by patrol.ts, one per interface that has scripts or exports.
 */
import { randomInt } from 'node:crypto';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { Config } from '../config.ts';
import { createPendingBuffer, pendingLines, releaseOutputLock, writePending } from '../exports/lines.ts';
import { CALLBACK_BIT, CALLBACKS, E_CALLBACKS } from '../flows/event.ts';
import { createRingBuffer, drain } from '../flows/ring.ts';
import type { Names } from '../flows/view.ts';
import type { HostData as HostBookData } from '../hosts/host-book.ts';
import {
  CALL_LOAD,
  HOST_ENDED,
  HOST_IN_CALL,
  type HostCommand,
  type HostData,
  type HostFile,
  type HostMessage,
  type HostReport,
  type PendingLines,
  WATCH_CALLBACK,
  WATCH_CALLS,
  WATCH_COMMANDS,
  WATCH_DONE,
  WATCH_SCRIPT,
  WATCH_STATE,
  WATCH_THREAD,
  WATCH_WORDS,
} from '../interfaces/protocol.ts';
import { native } from '../native.ts';
import type { Log } from '../patrol-types.ts';
import type { Preferences } from '../preferences.ts';
import { createRecordingState } from '../recording/writer.ts';
import type { CacheChange } from './cache.ts';
import type { FileChange } from './host.ts';
import { joinReports } from './join.ts';
import { createJournalBuffer, type Journal, openJournal } from './journal.ts';
import { unmaskedCallbacks } from './mask.ts';
import { OUTBOX_LOST, OUTBOX_UNDER_WAY, OUTBOX_WAITING, OUTBOX_WORDS } from './outbox.ts';
import type { CallbackStats, ScriptReport, ScriptSwitch } from './report.ts';
import { createTallyBuffer, openTallies } from './tally.ts';

/** CPU time of one call after which it is ended from outside, µs. Instructions of Lua are limited anyway (lua/budget.ts). */
export const STUCK_US = 200_000;
/** CPU time of loading a script, with its `setup`, or of unloading one, with its `teardown`, µs. */
export const LOAD_STUCK_US = 1_500_000;
export const WATCH_MS = 25;
/** Hosts that are ended without a script to blame, before the interface gives up: something else is wrong. */
const MOST_UNEXPLAINED = 5;
/** How often a script in a host of its own may be ended before it rests, and for how long at first, ms. */
const OWN_ENDS = 3;
const REST_MS = 60_000;
const LONGEST_REST_MS = 3_600_000;
/** Scripts with a host of their own at one time; more rest until somebody switches them on. */
const MOST_OWN = 4;
const OWN_RING_BYTES = 1 << 20;
/** Memory of a host's JavaScript, MiB: scripts in TypeScript live in there. */
const MOST_HEAP_MIB = 256;

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

/** States that are what the user's switch says. */
const SWITCHED: readonly ScriptSwitch[] = ['on', 'off', 'shadow'];

/** One worker. */
interface Host {
  readonly worker: Worker;
  readonly watch: Int32Array;
  readonly port: MessagePort;
  /** Path of its only script. */
  readonly own: string | undefined;
  readonly journal: Journal;
  readonly pending: PendingLines;
  report: HostReport | undefined;
  ended: boolean;
}

/** A script with a host of its own. */
interface Alone {
  readonly path: string;
  readonly ring: SharedArrayBuffer;
  readonly place: number;
  host: Host | undefined;
  ends: number;
  rest: number;
  timer: NodeJS.Timeout | undefined;
}

export function startHosts(options: HostsOptions): ScriptHosts {
  const { id, name, live, config, log, on } = options;
  const files = new Map<string, HostFile>();
  let numbers = 0;
  const numberOf = (path: string): number => files.get(path)?.number ?? ++numbers;
  /** The version before the newest one, by path. */
  const earlier = new Map<string, FileChange['version']>();
  const keep = (change: FileChange): HostFile => {
    earlier.set(change.path, files.get(change.path)?.change.version);
    const file = { number: numberOf(change.path), change };
    // one that cannot be read leaves the version that runs where it is
    if (change.version !== undefined || (change.error !== undefined && !files.has(change.path))) files.set(change.path, file);
    else if (change.error === undefined) files.delete(change.path);
    return file;
  };
  for (const change of options.files) keep(change);
  const switches = new Map(options.switches);
  const alone = new Map<string, Alone>();
  const lost = new Map<string, number>(); // how often the state of a script went with its host, by path
  const shared = createTallyBuffer();
  const tallies = openTallies(shared);
  let places = 0;
  let base: HostReport | undefined; // of hosts that are gone
  let main: Host | undefined;
  let callsEnded = 0;
  let unexplained = 0;
  let linesLost = 0;
  let closed = false;
  const exiting = new Set<Promise<number>>();
  const seed = live ? randomInt(2 ** 31) : 0;
  /** Words of all hosts that there were. */
  const outboxes: Int32Array[] = [];
  const mask = unmaskedCallbacks(config, live).reduce((bits, callback) => bits | CALLBACK_BIT[callback], 0);
  const recording = config.recordTo === undefined ? undefined : createRecordingState();

  const keyOf = (path: string): string => joined()?.scripts.find((script) => script.path === path)?.key ?? path;

  function start(ring: SharedArrayBuffer, own: string | undefined, place: number, resume?: HostData['resume'], careful = false): Host {
    const watch = new Int32Array(new SharedArrayBuffer(WATCH_WORDS * 4));
    const lines = new Int32Array(new SharedArrayBuffer(4));
    const journal = createJournalBuffer();
    const pending: PendingLines = { flows: createPendingBuffer(), events: createPendingBuffer(), alerts: createPendingBuffer() };
    const outbox = options.flows === true ? new Int32Array(new SharedArrayBuffer(OUTBOX_WORDS * 4)) : undefined;
    if (outbox !== undefined) outboxes.push(outbox);
    const { port1, port2 } = new MessageChannel();
    const flows = options.attach();
    const data: HostData = {
      id,
      name,
      kind: live ? 'packet' : 'pcap',
      config,
      names: options.names,
      preferences: options.preferences(),
      ring,
      hosts: options.hosts,
      port: port1,
      flows,
      control: options.control,
      watch: watch.buffer,
      tallies: shared,
      outputLock: options.outputLock,
      lockHolder: options.lockHolder(place),
      pending,
      linesUnderWay: lines.buffer,
      seed,
      recording,
      alerts: options.alerts === true,
      files: [...files.values()].filter(({ change }) => config.scripts && (own === undefined || change.path === own)),
      switches,
      cache: options.cache(),
      journal,
      outbox: outbox?.buffer,
      excluded: new Set(own === undefined ? alone.keys() : []),
      own: own !== undefined,
      resume,
      careful,
    };
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: data,
      transferList: [port1, ...flows],
      resourceLimits: { maxOldGenerationSizeMb: MOST_HEAP_MIB },
    });
    const host: Host = { worker, watch, port: port2, own, journal: openJournal(journal), pending, report: undefined, ended: false };
    const timer = watchCalls(host, ring, place);
    const lineDone = (): void => {
      Atomics.sub(lines, 0, 1);
      Atomics.notify(lines, 0);
    };
    const batchDone = (): void => {
      if (outbox === undefined) return;
      Atomics.sub(outbox, OUTBOX_UNDER_WAY, 1);
      Atomics.notify(outbox, OUTBOX_UNDER_WAY);
    };
    worker.on('exit', () => {
      if (outbox !== undefined) Atomics.add(outbox, OUTBOX_LOST, Atomics.exchange(outbox, OUTBOX_WAITING, 0));
      clearInterval(timer);
      port2.close();
    });
    worker.on('error', (error) => crashed(host, ring, place, error as Error));
    worker.on('message', (message: HostMessage) => {
      const wait = taken(host, message);
      if (message.type === 'flow-batch') void (wait ?? Promise.resolve()).then(batchDone);
      if (message.type !== 'print' && message.type !== 'script-error' && message.type !== 'alerts') return;
      if (wait === undefined) lineDone();
      else void wait.then(lineDone);
    });
    if (options.traceFilter() !== '') tellHost(host, { type: 'trace', filter: options.traceFilter() });
    return host;
  }

  function taken(host: Host, message: HostMessage): Promise<void> | undefined {
    const of = { interface: name };
    switch (message.type) {
      case 'print': {
        const { script, callback, flow, level, line } = message;
        const fields = { script, callback, ...(flow === undefined ? {} : { flow }), ...of };
        if (level === 'error') log.error(fields, line);
        else if (level === 'warning') log.warn(fields, line);
        else if (level === 'debug') log.debug(fields, line);
        else log.info(fields, line);
        break;
      }
      case 'script-error': {
        const { script, callback, flow } = message;
        log.error({ script, callback, ...(flow === undefined ? {} : { flow }), ...of }, message.message);
        break;
      }
      case 'script-loaded':
        if (message.version === undefined) log.info({ script: message.script, ...of }, 'the script is gone');
        else if (message.replaced)
          log.info({ script: message.script, version: message.version, ...of }, 'a new version of the script runs');
        else
          log[host.report === undefined ? 'debug' : 'info'](
            { script: message.script, version: message.version, ...of },
            'the script is loaded',
          );
        break;
      case 'script-switched':
        if (message.on) log.info({ script: message.script, ...of }, `the script is on again: ${message.reason}`);
        else log.error({ script: message.script, ...of }, `the script was switched off: ${message.reason}`);
        break;
      case 'report':
        host.report = message.report;
        break;
      case 'failed':
        fail(`script host: ${message.error}`);
        break;
      case 'ended':
        host.report = message.report;
        host.ended = true;
        settle();
        break;
      default:
        return on.message(message, host);
    }
    return undefined;
  }

  const settle = (): void => {
    if (closed || main?.ended !== true) return;
    for (const { host } of alone.values()) if (host !== undefined && !host.ended) return;
    closed = true;
    for (const { timer } of alone.values()) clearTimeout(timer);
    on.ended();
  };

  function fail(error: string): void {
    if (closed) return;
    closed = true;
    on.failed(error);
  }

  /** Looks whether a call has used up its time. */
  function watchCalls(host: Host, ring: SharedArrayBuffer, place: number): NodeJS.Timeout {
    let calls = -1;
    let since = 0;
    const timer = setInterval(() => {
      const { watch } = host;
      const seen = Atomics.load(watch, WATCH_CALLS);
      const cpu = native.cpuOf(Atomics.load(watch, WATCH_THREAD));
      if (Atomics.load(watch, WATCH_STATE) !== HOST_IN_CALL || seen !== calls) {
        calls = seen;
        since = cpu;
        return;
      }
      const most = Atomics.load(watch, WATCH_CALLBACK) < CALLBACKS.length ? STUCK_US : LOAD_STUCK_US;
      if (cpu - since > most && Atomics.compareExchange(watch, WATCH_STATE, HOST_IN_CALL, HOST_ENDED) === HOST_IN_CALL) {
        clearInterval(timer);
        end(host, ring, place, `did not return for ${most / 1000} ms of CPU time`);
      }
    }, WATCH_MS);
    timer.unref();
    return timer;
  }

  /** A host that died by itself: of memory, most likely. Its scripts may not have been running: then it is no script's fault. */
  function crashed(host: Host, ring: SharedArrayBuffer, place: number, error: Error): void {
    const { code } = error as NodeJS.ErrnoException;
    if (Atomics.load(host.watch, WATCH_STATE) === HOST_ENDED) return; // it is being ended already
    const inCall = Atomics.compareExchange(host.watch, WATCH_STATE, HOST_IN_CALL, HOST_ENDED) === HOST_IN_CALL;
    if (closed || !inCall) fail(`script host: ${error.message}`);
    else
      end(host, ring, place, code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'used up the memory of its host' : `ended its host: ${error.message}`);
  }

  /** Ends a host in the middle of a call. Nothing of that call is told to anybody. */
  function end(host: Host, ring: SharedArrayBuffer, place: number, what: string): void {
    callsEnded++;
    terminate(host, place, () => {
      if (host.own === undefined) replaceMain(host, ring, what);
      else replaceOwn(host, what);
    });
  }

  /** Writes the lines that a worker made and had no time to write. */
  function writeLeft({ pending, own }: Host, place: number): void {
    const of = own === undefined ? { flows: config.exportFlows, events: config.exportEvents } : {};
    for (const [what, path] of Object.entries({ ...of, alerts: config.exportAlerts })) {
      if (path === undefined) continue;
      try {
        writePending(path, pending[what as keyof PendingLines], options.outputLock, options.lockHolder(place));
      } catch (error) {
        linesLost += pendingLines(pending[what as keyof PendingLines]);
        log.error({ interface: name }, `${path}: ${(error as Error).message}`);
      }
    }
  }

  /** Ends a worker; what it leaves behind is taken care of before `then`. */
  function terminate(host: Host, place: number, then: () => void): void {
    const exit = host.worker.terminate();
    exiting.add(exit);
    void exit.then(() => {
      exiting.delete(exit);
      if (closed) return;
      releaseOutputLock(options.outputLock, options.lockHolder(place));
      writeLeft(host, place);
      const kept = host.journal.take();
      if (kept.length > 0) on.message({ type: 'cache', changes: kept }, host);
      then();
    });
  }

  /** Counts the call that was ended. Whatever else the host held in its variables is lost with it. */
  const blame = (path: string, host: Host): void => {
    const callback = CALLBACKS[Atomics.load(host.watch, WATCH_CALLBACK)];
    if (callback === undefined) return; // it was loading
    const tally = tallies.of(numberOf(path), callback);
    tally.called();
    tally.failed('ended');
  };
  const stateLost = (paths: Iterable<string>): void => {
    for (const path of paths) lost.set(path, (lost.get(path) ?? 0) + 1);
  };

  function replaceMain(host: Host, ring: SharedArrayBuffer, what: string): void {
    if (host.report !== undefined) base = joinReports(base, host.report);
    const number = Atomics.load(host.watch, WATCH_SCRIPT);
    const culprit = [...files.values()].find((file) => file.number === number)?.change.path;
    const call = Atomics.load(host.watch, WATCH_CALLBACK);
    const done = Atomics.load(host.watch, WATCH_DONE);
    if (call >= CALLBACKS.length) {
      // what was unloaded is gone with the host
      if (culprit !== undefined && call === CALL_LOAD) refuse(culprit, `loading it, with its setup(), ${what} and was ended`);
      stateLost([...files.keys()].filter((path) => !alone.has(path)));
      startMain(ring, done < 0 ? undefined : { done }, false);
      return;
    }
    if (culprit === undefined) {
      if (++unexplained > MOST_UNEXPLAINED) {
        fail(`script hosts had to be ended ${unexplained} times, and no script is to blame`);
        return;
      }
      log.warn({ interface: name }, `a script ${what}: its host is made anew, and will say which one it calls`);
    } else {
      unexplained = 0;
      blame(culprit, host);
      log.error({ script: keyOf(culprit), interface: name }, `the script ${what} and was ended; it goes on in a host of its own`);
    }
    stateLost([...files.keys()].filter((path) => !alone.has(path)));
    if (culprit !== undefined) addAlone(culprit);
    startMain(ring, { done, ...(culprit === undefined ? {} : { handOn: culprit }) }, culprit === undefined);
    if (culprit !== undefined) startAlone(culprit, done);
  }

  function startMain(ring: SharedArrayBuffer, resume: HostData['resume'], careful: boolean): void {
    main = start(ring, undefined, 0, resume, careful);
    for (const { path, ring: to, host } of alone.values()) {
      tellHost(main, { type: 'forward', path, ring: host === undefined ? undefined : to, back: false });
    }
  }

  /** A version that cannot be loaded: the one before it runs on, if there is one. */
  function refuse(path: string, error: string): void {
    const version = earlier.get(path);
    earlier.delete(path);
    files.set(path, { number: numberOf(path), change: { path, error, ...(version === undefined ? {} : { version }) } });
  }

  function addAlone(path: string): void {
    alone.set(path, {
      path,
      ring: createRingBuffer(OWN_RING_BYTES),
      place: ++places,
      host: undefined,
      ends: 0,
      rest: REST_MS,
      timer: undefined,
    });
  }

  /** Starts the own host of a script, if there is room for one more. @param done callbacks of its first event that it has behind it, but one */
  function startAlone(path: string, done?: number): void {
    const entry = alone.get(path);
    if (entry === undefined || main === undefined) return;
    const running = [...alone.values()].filter(({ host }) => host !== undefined).length;
    if (running >= MOST_OWN) {
      log.error({ script: keyOf(path), interface: name }, `${MOST_OWN} scripts have hosts of their own already: this one rests`);
      tellHost(main, { type: 'forward', path, ring: undefined, back: false });
      return;
    }
    entry.host = start(entry.ring, path, entry.place, done === undefined ? undefined : { done: done + 1 });
    tellHost(main, { type: 'forward', path, ring: entry.ring, back: false });
  }

  function replaceOwn(host: Host, what: string): void {
    const path = host.own as string;
    const entry = alone.get(path);
    if (entry === undefined || entry.host !== host) return;
    if (host.report !== undefined) base = joinReports(base, host.report);
    blame(path, host);
    stateLost([path]);
    entry.ends++;
    if (entry.ends % OWN_ENDS !== 0) {
      const done = Atomics.load(host.watch, WATCH_DONE);
      entry.host = start(entry.ring, path, entry.place, done < 0 ? undefined : { done: done + 1 });
      return;
    }
    entry.host = undefined;
    leaveOut(entry, host);
    if (main !== undefined) tellHost(main, { type: 'forward', path, ring: undefined, back: false });
    const again = live ? `for ${entry.rest / 1000} s` : 'until the end of the run';
    log.error({ script: keyOf(path), interface: name }, `the script ${what} ${entry.ends} times: it is switched off ${again}`);
    if (live) {
      entry.timer = setTimeout(() => renew(path), entry.rest).unref();
      entry.rest = Math.min(entry.rest * 2, LONGEST_REST_MS);
    }
    settle();
  }

  /** Counts what a script in a host of its own, which is gone, had before it: at the first event the callbacks behind the one it was in. */
  function leaveOut({ path, ring }: Alone, host: Host): void {
    let behind = Atomics.load(host.watch, WATCH_DONE) + 1;
    drain(ring, (bytes, at) => {
      let due = bytes[at + E_CALLBACKS] as number;
      for (const callback of CALLBACKS) if ((due & CALLBACK_BIT[callback]) !== 0 && behind-- > 0) due &= ~CALLBACK_BIT[callback];
      behind = 0;
      tallies.leftOut(numberOf(path), due & mask, 'broken');
    });
  }

  /** A script that rested comes back, with an empty ring. */
  function renew(path: string): void {
    const entry = alone.get(path);
    if (closed || entry === undefined || entry.host !== undefined) return;
    clearTimeout(entry.timer);
    alone.set(path, { ...entry, ring: createRingBuffer(OWN_RING_BYTES), timer: undefined });
    startAlone(path);
  }

  /** Back among the others: its file has changed. */
  function rejoin(path: string): void {
    const entry = alone.get(path);
    if (entry === undefined) return;
    clearTimeout(entry.timer);
    alone.delete(path);
    const back = (): void => {
      if (main !== undefined) tellHost(main, { type: 'forward', path, ring: undefined, back: true });
      settle();
    };
    const { host } = entry;
    if (host === undefined) {
      back();
      return;
    }
    if (host.report !== undefined) base = joinReports(base, host.report);
    Atomics.store(host.watch, WATCH_STATE, HOST_ENDED); // the watch has no more to do with it
    terminate(host, entry.place, () => {
      leaveOut(entry, host);
      back();
    });
  }

  function tellHost(host: Host, command: HostCommand): void {
    if (host.ended) return;
    host.port.postMessage(command);
    Atomics.add(host.watch, WATCH_COMMANDS, 1);
  }

  const all = (): Host[] => [main, ...[...alone.values()].map(({ host }) => host)].filter((host) => host !== undefined);

  main = start(options.ring, undefined, 0);

  function joined(): HostReport | undefined {
    let sum = base;
    for (const { report } of all()) if (report !== undefined) sum = joinReports(sum, report);
    return sum;
  }

  return {
    report: joined,

    reports() {
      const listed = (joined()?.scripts ?? []).filter(({ path }) => files.has(path));
      const counted = listed.map((script) => {
        const entry = alone.get(script.path);
        const stats: Record<string, CallbackStats> = {};
        let [alerts, shadowAlerts] = [0, 0];
        for (const callback of CALLBACKS) {
          const tally = tallies.of(numberOf(script.path), callback);
          alerts += tally.alerts;
          shadowAlerts += tally.shadowAlerts;
          const known = script.stats[callback] ?? { cpuUs: 0, meanUs: 0, p99Us: 0 };
          if (script.callbacks.includes(callback)) stats[callback] = { ...known, ...tally.counts() };
        }
        const rests = entry !== undefined && entry.host === undefined;
        // a capture that is through: nobody is there any more who would hear of a switch
        const switched = main?.ended === true && (SWITCHED as readonly string[]).includes(script.state);
        return {
          ...script,
          state: switched ? (switches.get(script.key) ?? 'on') : script.state,
          stats,
          alerts,
          shadowAlerts,
          ownHost: entry !== undefined,
          stateLost: lost.get(script.path) ?? 0,
          ...(rests ? { state: 'broken' as const, broken: { reason: 'its calls had to be ended from outside', until: 0 } } : {}),
        };
      });
      const used = (script: ScriptReport): number => CALLBACKS.reduce((sum, callback) => sum + (script.stats[callback]?.cpuUs ?? 0), 0);
      const total = counted.reduce((sum, script) => sum + used(script), 0);
      return counted.map((script) => ({ ...script, share: total === 0 ? 0 : used(script) / total }));
    },

    callsEnded: () => callsEnded,
    linesLost: () => linesLost,
    flowsLost: () => outboxes.reduce((sum, words) => sum + Atomics.load(words, OUTBOX_LOST), 0),

    files(changes) {
      for (const { path } of changes) rejoin(path);
      if (main !== undefined) tellHost(main, { type: 'files', files: changes.map(keep) });
    },

    switch(key, to) {
      if (to === 'on') switches.delete(key);
      else switches.set(key, to);
      for (const host of all()) tellHost(host, { type: 'switch', key, to });
      if (to === 'off') return;
      for (const [path, { host }] of alone) if (host === undefined && keyOf(path) === key) renew(path);
    },

    tell(command, except) {
      for (const host of all()) if (host !== except) tellHost(host, command);
    },

    async terminate() {
      closed = true;
      for (const { timer } of alone.values()) clearTimeout(timer);
      await Promise.all([...exiting, ...all().map(({ worker }) => worker.terminate())]);
    },
  };
}
