/**
 * The wiring: for each `-i` an interface thread (or several) and its script host, shared memory between them, and one snapshot of all.
 *
 * createPatrol is inert; `start` opens everything, `stop` ends it in order (last visits, exports flushed), `done` resolves when
 * every interface has ended. Called by the command line.
 */
import { accessSync, closeSync, constants, openSync, readFileSync, statSync } from 'node:fs';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { Config } from './config.ts';
import { createOutputLock, lockHolder, releaseOutputLock } from './exports/lines.ts';
import { compileFilter } from './filter/filter.ts';
import { COUNTERS, counterIndex } from './flows/counters.ts';
import { createRingBuffer, RING_BYTES, skipEvent } from './flows/ring.ts';
import type { Names } from './flows/view.ts';
import type { HostData as HostBookData } from './hosts/host-book.ts';
import type { CompiledLists } from './hosts/lists/compile.ts';
import { createListStore } from './hosts/lists/store.ts';
import { createNameService, type NameService } from './hosts/name-service.ts';
import { systemAddresses } from './hosts/system.ts';
import type { IdsAlert } from './ids/alert.ts';
import { IDS_COUNTERS, type IdsSources, openIdsSources } from './ids/sources.ts';
import {
  GAUGE_BEGAN,
  GAUGE_CLOCK,
  GAUGE_POSITION,
  GAUGE_SIZE,
  type HostCommand,
  type HostData,
  type HostMessage,
  type HostReport,
  type InterfaceData,
  type InterfaceKind,
  type InterfaceMessage,
  type ProtocolTotals,
  WATCH_CALLS,
  WATCH_IN_CALL,
  WATCH_UNWRITTEN,
  WATCH_WORDS,
} from './interfaces/protocol.ts';
import { startThreads } from './interfaces/threads.ts';
import type { FlowAnswer, FlowQuery, InterfaceSnapshot, Log, Patrol, PatrolControl } from './patrol-types.ts';
import { DEFAULT_PREFERENCES, type Preferences } from './preferences.ts';

/** One interface as the main thread sees it. */
interface Running {
  readonly id: number;
  readonly name: string;
  readonly kind: InterfaceKind;
  readonly counters: () => Float64Array;
  readonly gauges: () => Float64Array;
  state: InterfaceSnapshot['state'];
  error?: string;
  errorCode?: string;
  warning?: string;
  protocols: readonly ProtocolTotals[];
  report: HostReport | undefined;
  /** Script hosts that had to be ended from outside. */
  callsEnded: number;
  /** What the script host picked for `Config.flowQuery`. */
  endedFlows?: FlowAnswer;
  /** Export lines that went with them. */
  linesLost: number;
  readonly ended: Promise<void>;
  readonly stop: () => void;
  /** Tells names that reverse DNS has found. */
  readonly tellNames: (names: HostCommand['names']) => void;
  /** Tells alerts of an intrusion detection system. */
  readonly tellAlerts: (alerts: readonly IdsAlert[]) => void;
  /** Changes what the interface goes by, from its next visit on. */
  readonly configure: (preferences: Preferences | undefined, lists: CompiledLists | undefined) => void;
  /** Flows that live now; none once the interface has ended. */
  readonly query: (query: FlowQuery) => Promise<FlowAnswer | undefined>;
}

/** A name that is a file (or `-`) is a capture; anything else is a network interface. */
export type KindOf = (name: string) => InterfaceKind;

/** What all interfaces of a run have in common. */
interface Shared {
  readonly config: Config;
  readonly run: string;
  readonly log: Log;
  readonly outputLock: SharedArrayBuffer;
  readonly preferences: Preferences;
  readonly lists: CompiledLists;
  readonly devices: InterfaceData['devices'];
  readonly alerts: readonly IdsAlert[];
  readonly hosts: HostBookData;
  readonly hostNames: NameService;
}

/** A script that does not return from one call for so long is ended; instructions of its own are limited anyway. */
const STUCK_MS = 1000;
const WATCH_MS = 100;
/** After so many the interface fails: its scripts do nothing else. */
const MOST_CALLS_ENDED = 5;

function startInterface(id: number, name: string, kind: InterfaceKind, shared: Shared): Running {
  const { config, run, log, outputLock, preferences, lists, devices, alerts, hosts, hostNames } = shared;
  const exporting = [config.exportFlows, config.exportEvents, config.exportAlerts].some((file) => file !== undefined);
  const wanted = config.scripts || exporting || config.flowQuery !== undefined;
  const live = kind === 'packet' || config.originalSpeed;
  const count = kind === 'packet' && !config.originalSpeed ? config.captureThreads : 1;
  const ring = wanted ? createRingBuffer(RING_BYTES, count) : undefined;
  const flow = startThreads({ id, name, kind, config, run, ring, preferences, lists, devices, alerts }, count, {
    message: (message) => taken(message),
    error: (error) => giveUp(error.message),
  });
  const queries = new Map<number, { answer: (answer: FlowAnswer | undefined) => void; fail: (error: Error) => void }>();
  let asked = 0;
  let names: Names | undefined;
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let host: Worker | undefined;
  let book: MessagePort | undefined;

  const running: Running = {
    id,
    name,
    kind,
    counters: flow.counters,
    gauges: flow.gauges,
    state: 'starting',
    protocols: [],
    report: undefined,
    callsEnded: 0,
    linesLost: 0,
    ended,
    stop: flow.stop,
    tellNames: (found) => book?.postMessage({ type: 'names', names: found } satisfies HostCommand),
    tellAlerts: (found) => flow.post({ type: 'alerts', alerts: found }),
    configure: (changed, compiled) =>
      flow.post({
        type: 'policy',
        ...(changed === undefined ? {} : { preferences: changed }),
        ...(compiled === undefined ? {} : { lists: compiled }),
      }),
    async query(query) {
      if (names === undefined || flowOver) return undefined;
      if (query.filter.trim() !== '') compileFilter(query.filter, names); // on its way between threads an error loses its kind
      const { promise, resolve: answer, reject: fail } = Promise.withResolvers<FlowAnswer | undefined>();
      queries.set(++asked, { answer, fail });
      flow.post({ type: 'query', id: asked, query });
      return promise;
    },
  };

  // Each thread says when it is through. Both are waited for: nobody knows whose last message comes first.
  let flowOver = false;
  let hostOver = true;
  const flowsGone = (): void => {
    flowOver = true;
    for (const { answer } of queries.values()) answer(undefined);
    queries.clear();
    flow.close();
  };
  const settle = (): void => {
    if (!flowOver || !hostOver) return;
    if (running.state !== 'failed') running.state = 'ended';
    resolve();
  };

  const failed = (error: string, code: string): void => {
    running.state = 'failed';
    running.error = error;
    running.errorCode = code;
    log.error({ interface: name, code }, error);
  };

  /** For a thread that can say nothing more: the other one would wait for it. */
  const giveUp = (error: string): void => {
    failed(error, '');
    flowsGone();
    flow.terminate();
    void host?.terminate().then(() => releaseOutputLock(outputLock, lockHolder(id)));
    resolve();
  };

  /** Ends a script host whose scripts do not return: behind the event it died of, a new one goes on. */
  const endHost = (names: Names, ring: SharedArrayBuffer, stuck: Worker, watch: Int32Array): void => {
    running.callsEnded++;
    running.linesLost += Atomics.load(watch, WATCH_UNWRITTEN);
    log.error(
      { interface: name },
      `a script did not return for ${STUCK_MS / 1000} s from one library call and was ended; all scripts start anew behind that event`,
    );
    host = undefined;
    void stuck.terminate().then(() => {
      releaseOutputLock(outputLock, lockHolder(id));
      if (running.state === 'failed') return;
      if (running.callsEnded > MOST_CALLS_ENDED) {
        giveUp(`scripts had to be ended ${running.callsEnded} times`);
        return;
      }
      skipEvent(ring);
      startHost(names, ring);
    });
  };

  const startHost = (names: Names, ring: SharedArrayBuffer): void => {
    const watch = new Int32Array(new SharedArrayBuffer(WATCH_WORDS * 4));
    let calls = -1;
    let since = performance.now();
    const watching = setInterval(() => {
      const now = performance.now();
      const seen = Atomics.load(watch, WATCH_CALLS);
      if (Atomics.load(watch, WATCH_IN_CALL) === 0 || seen !== calls) {
        calls = seen;
        since = now;
      } else if (now - since > STUCK_MS) {
        clearInterval(watching);
        if (host !== undefined) endHost(names, ring, host, watch);
      }
    }, WATCH_MS);
    watching.unref();
    const lines = new Int32Array(new SharedArrayBuffer(4));
    const { port1: bookPort, port2 } = new MessageChannel();
    book = port2;
    const hostData: HostData = {
      id,
      name,
      kind: live ? 'packet' : 'pcap',
      config,
      names,
      ring,
      hosts: live ? hosts : { ...hosts, systemAddresses: [] }, // a capture may come from another machine
      port: bookPort,
      outputLock,
      linesUnderWay: lines.buffer,
      watch: watch.buffer,
    };
    hostOver = false;
    const lineDone = (): void => {
      Atomics.sub(lines, 0, 1);
      Atomics.notify(lines, 0);
    };
    host = new Worker(new URL('./scripts/worker.ts', import.meta.url), { workerData: hostData, transferList: [bookPort] });
    host.on('exit', () => {
      clearInterval(watching);
      port2.close();
    });
    host.on('error', (error) => giveUp(`script host: ${(error as Error).message}`));
    host.on('message', (message: HostMessage) => {
      switch (message.type) {
        case 'print':
          log.info({ script: message.script, interface: name }, message.line);
          lineDone();
          break;
        case 'script-error':
          log.error({ script: message.script, callback: message.callback, interface: name }, message.message);
          lineDone();
          break;
        case 'report':
          running.report = message.report;
          break;
        case 'names':
          hostNames.learned(message.names);
          break;
        case 'nameless':
          hostNames.nameless(message.addresses);
          break;
        case 'flows': {
          const { type: _, ...flows } = message;
          running.endedFlows = { interface: name, names: hostData.names, ...flows };
          break;
        }
        case 'reader-gone':
          running.stop();
          break;
        case 'failed':
          giveUp(`script host: ${message.error}`);
          break;
        case 'ended':
          running.report = message.report;
          hostOver = true;
          settle();
          break;
      }
    });
  };

  const taken = (message: InterfaceMessage): void => {
    switch (message.type) {
      case 'ready':
        names = message.names;
        if (ring !== undefined) startHost(message.names, ring);
        break;
      case 'protocols':
        running.protocols = message.protocols;
        break;
      case 'running':
        if (running.state === 'lost') log.info({ interface: name }, 'the interface is back');
        else if (kind === 'packet') log.info({ interface: name }, 'capturing');
        running.state = 'running';
        break;
      case 'lost':
        running.state = 'lost';
        log.warn({ interface: name }, `the interface is lost, trying again: ${message.reason}`);
        break;
      case 'warning':
        running.warning = message.text;
        log.warn({ interface: name }, message.text);
        break;
      case 'failed':
        failed(message.error, message.code);
        flowsGone(); // it has closed the ring: the script host still reads what is in there
        settle();
        break;
      case 'answer': {
        const { type: _, id: query, ...found } = message;
        queries.get(query)?.answer({ interface: name, names: names as Names, ...found });
        queries.delete(query);
        break;
      }
      case 'query-failed':
        queries.get(message.id)?.fail(message.error);
        queries.delete(message.id);
        break;
      case 'ended':
        if (count > 1) log.info({ interface: name }, `packets by capture thread: ${flow.packets().join(', ')}`);
        flowsGone();
        settle();
        break;
    }
  };
  return running;
}

const snapshotOf = (running: Running): InterfaceSnapshot => {
  const counters = running.counters();
  const gauges = running.gauges();
  return {
    id: running.id,
    name: running.name,
    kind: running.kind,
    state: running.state,
    ...(running.error === undefined ? {} : { error: running.error }),
    ...(running.errorCode ? { errorCode: running.errorCode } : {}),
    ...(running.warning === undefined ? {} : { warning: running.warning }),
    began: gauges[GAUGE_BEGAN] as number,
    clock: gauges[GAUGE_CLOCK] as number,
    position: gauges[GAUGE_POSITION] as number,
    size: gauges[GAUGE_SIZE] as number,
    counters: {
      ...Object.fromEntries(COUNTERS.map((counter, i) => [counter.name, counters[i] as number])),
      alerts: (running.report?.alerts ?? 0) + (counters[counterIndex('alerts.core')] as number),
      'lines.exported': running.report?.linesExported ?? 0,
    },
    protocols: running.protocols,
    losses: [
      ...COUNTERS.map(({ name, help, loss }, i) => ({ name, help, value: loss ? (counters[i] as number) : 0 })),
      { name: 'calls.ended', help: 'script calls ended from outside; their events reached no later script', value: running.callsEnded },
      { name: 'lines.lost', help: 'export lines lost with a script host that had to be ended', value: running.linesLost },
      {
        name: 'geo.broken',
        help: 'address data that is gone or could not be read',
        value: running.report?.hosts.geoBroken ?? 0,
      },
      { name: 'prints.dropped', help: 'lines of scripts left out by the rate limit of the log', value: running.report?.printsDropped ?? 0 },
    ].filter((loss) => loss.value > 0),
  };
};

/** Empties a file, so that the hosts can append. Pipes and devices are not opened: their readers would see an end. */
function prepareExport(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === false) accessSync(file, constants.W_OK);
  else closeSync(openSync(file, 'w'));
}

/** How often lists are looked at for changes. */
const LISTS_MS = 1000;

/** @param kindOf tells captures from network interfaces (the command line has looked at the names already) */
export function createPatrol(config: Config, log: Log, kindOf: KindOf): Patrol & PatrolControl {
  const interfaces: Running[] = [];
  const { promise: done, resolve } = Promise.withResolvers<void>();
  let preferences: Preferences = { ...DEFAULT_PREFERENCES, ...config.preferences };
  const lists = createListStore({
    sources: config.lists,
    ...(config.dataDirectory === undefined ? {} : { directory: config.dataDirectory }),
    now: () => Date.now(),
    log: { info: (text) => log.info({}, text), warn: (text) => log.warn({}, text) },
  });
  const hosts: HostBookData = {
    geoFiles: config.geoFiles,
    ...(config.hostPools === undefined ? {} : { pools: { text: readFileSync(config.hostPools, 'utf8'), file: config.hostPools } }),
    systemAddresses: systemAddresses(),
  };
  const hostNames = createNameService({
    hosts,
    resolve: config.resolveNames,
    onFound: (names) => {
      for (const running of alive()) running.tellNames(names);
    },
  });
  const alive = (): Running[] => interfaces.filter((running) => running.state !== 'ended' && running.state !== 'failed');
  const configure = (changed: Preferences | undefined, compiled: CompiledLists | undefined): void => {
    for (const running of alive()) running.configure(changed, compiled);
  };
  let ids: IdsSources | undefined;
  let alerts: IdsAlert[] = []; // those before the first packet
  const openIds = async (): Promise<void> => {
    if (config.idsAlerts.length === 0) return;
    const live = config.interfaces.some((name) => kindOf(name) === 'packet');
    ids = await openIdsSources(config.idsAlerts, {
      live,
      log: { info: (text) => log.info({}, text), warn: (text) => log.warn({}, text) },
      onAlerts(batch) {
        if (interfaces.length === 0) alerts.push(...batch);
        else for (const running of alive()) running.tellAlerts(batch);
      },
    });
    await ids.poll();
  };
  const refreshLists = async (): Promise<void> => {
    if (!lists.due(Date.now())) return;
    const changed = await lists.refresh();
    if (changed !== undefined) configure(undefined, changed);
  };

  return {
    done,
    async start() {
      for (const file of [config.exportFlows, config.exportEvents, config.exportAlerts]) {
        if (file !== undefined && file !== '-') prepareExport(file);
      }
      await openIds();
      const shared: Shared = {
        config,
        run: Date.now().toString(36),
        log,
        outputLock: createOutputLock(),
        preferences,
        lists: await lists.load(),
        devices:
          config.devicePolicy === undefined ? undefined : { text: readFileSync(config.devicePolicy, 'utf8'), file: config.devicePolicy },
        alerts,
        hosts,
        hostNames,
      };
      config.interfaces.forEach((name, id) => {
        interfaces.push(startInterface(id, name, kindOf(name), shared));
      });
      alerts = [];
      const refreshing = config.lists.length === 0 ? undefined : setInterval(() => void refreshLists(), LISTS_MS);
      void Promise.all(interfaces.map((running) => running.ended)).then(() => {
        clearInterval(refreshing);
        void ids?.close();
        hostNames.close();
        resolve();
      });
    },
    async stop() {
      for (const running of interfaces) running.stop();
      await Promise.all(interfaces.map((running) => running.ended));
    },
    preferences: () => preferences,
    setPreferences(values) {
      preferences = { ...preferences, ...values };
      configure(preferences, undefined);
    },
    async queryFlows(query, signal) {
      const answers = Promise.all(interfaces.map((running) => running.query(query)));
      const aborted = new Promise<never>((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
      return (await Promise.race([answers, aborted])).filter((answer) => answer !== undefined);
    },
    endedFlows: () => interfaces.flatMap((running) => (running.endedFlows === undefined ? [] : [running.endedFlows])),
    listStatus: () => lists.status(),
    hostBook: () => hostNames.book,
    snapshot: () => ({
      interfaces: interfaces.map(snapshotOf),
      scripts: interfaces.flatMap((running) => (running.report?.scripts ?? []).map((script) => ({ ...script, interface: running.name }))),
      losses: [
        ...IDS_COUNTERS.map(({ name, help, loss }) => ({ name: `ids.${name}`, help, value: loss ? (ids?.counters()[name] ?? 0) : 0 })),
        { name: 'dns.dropped', help: 'addresses that reverse DNS had no room for', value: hostNames.dropped() },
      ].filter((loss) => loss.value > 0),
    }),
  };
}
