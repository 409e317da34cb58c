/**
 * The wiring: for each `-i` an interface thread (or several) and its script host, shared memory between them, and one snapshot of all.
 *
 * createPatrol is inert; `start` opens everything, `stop` ends it in order (last visits, exports flushed), `done` resolves when
 * every interface has ended. Called by the command line.
 */
import { accessSync, closeSync, constants, openSync, readFileSync, statSync } from 'node:fs';
import { ALERT_COUNTERS } from './alerts/counters.ts';
import type { AlertIntake } from './alerts/intake.ts';
import type { Config } from './config.ts';
import { createOutputLock, lockHolder } from './exports/lines.ts';
import { compileFilter } from './filter/filter.ts';
import { asksBook } from './flows/book-fields.ts';
import { COUNTERS, counterIndex, countsFor } from './flows/counters.ts';
import { CALLBACKS } from './flows/event.ts';
import { createRingBuffer, RING_BYTES } from './flows/ring.ts';
import { addFigures } from './flows/selection.ts';
import type { Names } from './flows/view.ts';
import type { HostData as HostBookData } from './hosts/host-book.ts';
import { hostData } from './hosts/host-data.ts';
import { createTableReading, type HostTables, type TableReading } from './hosts/host-tables.ts';
import type { CompiledLists } from './hosts/lists/compile.ts';
import { createListStore } from './hosts/lists/store.ts';
import { createNameService, type NameService } from './hosts/name-service.ts';
import { type LearnedName, packNames } from './hosts/names.ts';
import type { IdsAlert } from './ids/alert.ts';
import { IDS_COUNTERS, type IdsSources, openIdsSources } from './ids/sources.ts';
import { unpack } from './interfaces/packed-events.ts';
import { type CaptureProgress, createCaptureProgress } from './interfaces/progress.ts';
import {
  GAUGE_BEGAN,
  GAUGE_CLOCK,
  GAUGE_POSITION,
  GAUGE_SIZE,
  type HostCommand,
  type InterfaceData,
  type InterfaceKind,
  type InterfaceMessage,
  type ProtocolTotals,
  type ThreadAnswer,
} from './interfaces/protocol.ts';
import { notApplicable } from './interfaces/records/capabilities.ts';
import { startThreads } from './interfaces/threads.ts';
import type {
  CollectedSnapshot,
  FlowAnswer,
  FlowQuery,
  InterfaceSnapshot,
  Log,
  Patrol,
  PatrolControl,
  ProbeSnapshot,
  TimeoutsSnapshot,
} from './patrol-types.ts';
import { DEFAULT_PREFERENCES, type Preferences } from './preferences.ts';
import { type ScriptHosts, startHosts } from './scripts/hosts.ts';
import type { BatchSource, FlowBatch } from './scripts/outbox.ts';
import type { ScriptReport } from './scripts/report.ts';
import { createScriptService, type ScriptService, type ScriptStores } from './scripts/service.ts';

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
  probes?: readonly ProbeSnapshot[];
  timeouts?: TimeoutsSnapshot;
  collected?: CollectedSnapshot;
  /** Names of statuses that it cannot tell. */
  notApplicable: readonly string[];
  protocols: readonly ProtocolTotals[];
  hosts: ScriptHosts | undefined;
  /** What the script host picked for `Config.flowQuery`. */
  endedFlows?: FlowAnswer;
  /** Of a capture that waits where it is told to. */
  readonly progress: CaptureProgress | undefined;
  readonly ended: Promise<void>;
  readonly stop: () => void;
  /** To its script hosts, but to the one that it came from. */
  readonly tellHosts: (command: HostCommand, except?: object) => void;
  /** Names of hosts, for questions that read them. */
  readonly tellNames: (names: readonly LearnedName[]) => void;
  /** Tells alerts of an intrusion detection system. */
  readonly tellAlerts: (alerts: readonly IdsAlert[]) => void;
  /** Changes what the interface goes by, from its next visit on. */
  readonly configure: (preferences: Preferences | undefined, lists: CompiledLists | undefined) => void;
  /** Flows that live now; none once the interface has ended. */
  readonly query: (query: FlowQuery, as: 'flows' | 'hosts', signal: AbortSignal | undefined) => Promise<Answered | undefined>;
}

/** What the threads of an interface answer. */
interface Answered {
  readonly interface: string;
  readonly names: Names;
  readonly parts: readonly ThreadAnswer[];
}

/** What a run gives to, and what it keeps. Without it nothing is kept, and alerts go to the exports alone. */
export interface PatrolStores extends ScriptStores {
  /** Where alerts go; closed by who made it. */
  readonly alerts?: Pick<AlertIntake, 'raised' | 'counters' | 'flush'>;
  /** Where flows go that have ended, or that last; resolves when they are worked off. */
  readonly flows?: (batch: FlowBatch, of: BatchSource) => Promise<void>;
  /** Names of hosts that were learned or found. */
  readonly learned?: (names: readonly LearnedName[]) => void;
  /** The run goes on when all its interfaces have ended: others may be added. It ends by `stop`. */
  readonly stays?: boolean;
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
  readonly readTables: TableReading;
  readonly hostNames: NameService;
  readonly scripts: ScriptService;
  readonly intake: PatrolStores['alerts'];
  readonly flows: PatrolStores['flows'];
}

/** @param file where a capture is that is called otherwise */
function startInterface(id: number, name: string, kind: InterfaceKind, shared: Shared, file?: string): Running {
  const { config, run, log, outputLock, preferences, lists, devices, alerts, hosts, readTables, hostNames, scripts, intake, flows } =
    shared;
  const exporting = [config.exportFlows, config.exportEvents, config.exportAlerts].some((file) => file !== undefined);
  const kept = intake !== undefined || flows !== undefined;
  const wanted = config.scripts || exporting || kept || config.flowQuery !== undefined || config.recordTo !== undefined;
  const live = kind !== 'pcap' || config.originalSpeed;
  const count = kind === 'packet' && !config.originalSpeed ? config.captureThreads : 1;
  const ring = wanted ? createRingBuffer(RING_BYTES, count) : undefined;
  const flow = startThreads({ id, name, file, kind, config, run, ring, preferences, lists, devices, alerts }, count, {
    message: (message) => taken(message),
    error: (error) => giveUp(error.message),
  });
  const queries = new Map<number, { answer: (answer: Answered | undefined) => void; fail: (error: Error) => void }>();
  let questions = 0;
  /** Its threads have a book of hosts: a question has read it. */
  let hasBook = false;
  const hostsOf = live ? hosts : { ...hosts, systemAddresses: [] }; // a capture may come from another machine
  const giveBook = (tables: HostTables | undefined): void => {
    if (hasBook) return;
    hasBook = true;
    flow.post({
      type: 'book',
      hosts: { ...hostsOf, ...(tables === undefined ? {} : { tables }) },
      names: packNames(hostNames.book.names()),
    });
  };
  let names: Names | undefined;
  const { promise: ended, resolve } = Promise.withResolvers<void>();

  const running: Running = {
    id,
    name,
    kind,
    counters: flow.counters,
    gauges: flow.gauges,
    state: 'starting',
    notApplicable: [],
    protocols: [],
    hosts: undefined,
    progress: live ? undefined : createCaptureProgress(flow, config.speed),
    ended,
    stop: flow.stop,
    tellHosts: (command, except) => running.hosts?.tell(command, except),
    tellNames(found) {
      if (hasBook) flow.post({ type: 'names', names: found });
    },
    tellAlerts: (found) => flow.post({ type: 'alerts', alerts: found }),
    configure(changed, compiled) {
      flow.post({
        type: 'policy',
        ...(changed === undefined ? {} : { preferences: changed }),
        ...(compiled === undefined ? {} : { lists: compiled }),
      });
      if (changed !== undefined) running.hosts?.tell({ type: 'preferences', preferences: changed });
    },
    async query(query, as, signal) {
      if (names === undefined || flowOver || signal?.aborted === true) return undefined;
      const asked = query.filter.trim() === '' ? [] : compileFilter(query.filter, names).fields; // here, because an error loses its kind between threads
      const mustWait = !hasBook && [...asked, query.sort].some(asksBook);
      const { promise, resolve: answer, reject: fail } = Promise.withResolvers<Answered | undefined>();
      const question = ++questions;
      queries.set(question, { answer, fail });
      const ask = (): void => flow.post({ type: 'query', id: question, query, as });
      if (!mustWait) ask();
      else {
        void readTables().then((tables) => {
          if (!queries.has(question)) return; // nobody waits for it any more
          giveBook(tables);
          ask();
        });
      }
      const forget = (): void => {
        if (!queries.delete(question)) return;
        flow.post({ type: 'forget', id: question });
        answer(undefined);
      };
      signal?.addEventListener('abort', forget, { once: true });
      return promise.finally(() => signal?.removeEventListener('abort', forget));
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
    void running.hosts?.terminate();
    resolve();
  };

  const startScripts = (hostNamesOf: Names, events: SharedArrayBuffer): void => {
    hostOver = false;
    running.hosts = startHosts({
      id,
      name,
      live,
      config,
      names: hostNamesOf,
      ring: events,
      control: flow.control,
      hosts: hostsOf,
      outputLock,
      log,
      preferences: () => scripts.preferences(),
      files: scripts.files(),
      switches: scripts.switchesOf(name),
      cache: scripts.cache,
      traceFilter: scripts.filter,
      alerts: intake !== undefined,
      flows: flows !== undefined,
      attach: () => flow.attach(),
      lockHolder: (place) => lockHolder(id, place),
      on: {
        message(message, from) {
          switch (message.type) {
            case 'names':
              hostNames.learned(message.names);
              break;
            case 'nameless':
              hostNames.nameless(message.addresses);
              break;
            case 'flows': {
              const { type: _, ...flows } = message;
              running.endedFlows = { interface: name, names: hostNamesOf, ...flows };
              break;
            }
            case 'cache':
              scripts.keep(message.changes, from);
              break;
            case 'trace':
              scripts.trace(name, message.entries);
              break;
            case 'alerts':
              return intake?.raised(message.alerts, live);
            case 'flow-batch':
              return flows?.(message.batch, { interface: name, names: hostNamesOf, live });
            case 'reader-gone':
              running.stop();
              break;
          }
          return undefined;
        },
        failed: giveUp,
        ended() {
          hostOver = true;
          settle();
        },
      },
    });
  };

  const taken = (message: InterfaceMessage): void => {
    switch (message.type) {
      case 'ready':
        names = message.names;
        running.notApplicable = notApplicable(names).map((status) => status.name);
        if (ring !== undefined) startScripts(message.names, ring);
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
      case 'log':
        log[message.level]({ interface: name }, message.text);
        break;
      case 'probes':
        running.probes = message.probes;
        running.timeouts = message.timeouts;
        if (message.collected !== undefined) running.collected = message.collected;
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
      case 'answer':
        queries.get(message.id)?.answer({ interface: name, names: names as Names, parts: message.parts });
        queries.delete(message.id);
        break;
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

/** Where no packets come, those that the records or samples tell of are the interface's. */
const trafficOf = (kind: InterfaceKind, counters: Float64Array): Partial<Record<string, number>> => {
  const counter = (name: string): number => counters[counterIndex(name)] as number;
  if (kind === 'zmq' || kind === 'netflow') return { packets: counter('records.packets'), bytes: counter('records.bytes') };
  return kind === 'sflow' ? { packets: counter('sflow.packets'), bytes: counter('sflow.traffic') } : {};
};

const snapshotOf = (running: Running, intake: PatrolStores['alerts']): InterfaceSnapshot => {
  const counters = running.counters();
  const alerts = intake?.counters(running.name);
  const gauges = running.gauges();
  const report = running.hosts?.report();
  return {
    id: running.id,
    name: running.name,
    kind: running.kind,
    state: running.state,
    ...(running.error === undefined ? {} : { error: running.error }),
    ...(running.errorCode ? { errorCode: running.errorCode } : {}),
    ...(running.warning === undefined ? {} : { warning: running.warning }),
    ...(running.probes === undefined ? {} : { probes: running.probes }),
    ...(running.timeouts === undefined ? {} : { timeouts: running.timeouts }),
    ...(running.collected === undefined ? {} : { collected: running.collected }),
    ...(running.notApplicable.length === 0 ? {} : { notApplicable: running.notApplicable }),
    began: gauges[GAUGE_BEGAN] as number,
    clock: gauges[GAUGE_CLOCK] as number,
    position: gauges[GAUGE_POSITION] as number,
    size: gauges[GAUGE_SIZE] as number,
    ...(running.progress === undefined ? {} : { capture: running.progress.snapshot(running.state) }),
    counters: {
      ...Object.fromEntries(COUNTERS.flatMap(({ name }, i) => (countsFor(running.kind, name) ? [[name, counters[i] as number]] : []))),
      ...trafficOf(running.kind, counters),
      alerts: reportsOf(running).reduce((sum, script) => sum + script.alerts, 0) + (counters[counterIndex('alerts.core')] as number),
      'lines.exported': report?.linesExported ?? 0,
      ...(alerts === undefined ? {} : Object.fromEntries(ALERT_COUNTERS.map(({ name }) => [`alerts.${name}`, alerts[name]]))),
    },
    protocols: running.protocols,
    losses: [
      ...COUNTERS.map(({ name, help, loss }, i) => ({ name, help, value: loss ? (counters[i] as number) : 0 })),
      {
        name: 'calls.ended',
        help: 'script calls ended from outside; other scripts missed nothing',
        value: running.hosts?.callsEnded() ?? 0,
      },
      { name: 'history.lost', help: 'flows that the history was too slow for', value: running.hosts?.flowsLost() ?? 0 },
      { name: 'lines.lost', help: 'export lines lost with a script host that had to be ended', value: running.hosts?.linesLost() ?? 0 },
      ...ALERT_COUNTERS.map(({ name, help, loss }) => ({ name: `alerts.${name}`, help, value: loss ? (alerts?.[name] ?? 0) : 0 })),
      {
        name: 'geo.broken',
        help: 'address data that is gone or could not be read',
        value: report?.hosts.geoBroken ?? 0,
      },
      { name: 'prints.dropped', help: 'lines of scripts left out by the rate limit of the log', value: report?.printsDropped ?? 0 },
      {
        name: 'effects.dropped',
        help: 'alerts, lines and traces of scripts that there was no room for',
        value: report?.effectsDropped ?? 0,
      },
    ].filter((loss) => loss.value > 0),
  };
};

/** Its scripts, with the calls that were in events lost for all of them. */
function reportsOf(running: Running): ScriptReport[] {
  const counters = running.counters();
  const lost = CALLBACKS.map((callback) => [callback, counters[counterIndex(`callbacks.lost.${callback}`)] as number] as const);
  const reports = running.hosts?.reports() ?? [];
  if (lost.every(([, count]) => count === 0)) return reports;
  return reports.map((script) => {
    const stats = { ...script.stats };
    for (const [callback, count] of lost) {
      const known = stats[callback];
      if (known === undefined || count === 0) continue;
      stats[callback] = { ...known, skipped: { ...known.skipped, 'queue full': (known.skipped['queue full'] ?? 0) + count } };
    }
    return { ...script, stats };
  });
}

/** Empties a file, so that the hosts can append. Pipes and devices are not opened: their readers would see an end. */
function prepareExport(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === false) accessSync(file, constants.W_OK);
  else closeSync(openSync(file, 'w'));
}

/** How often lists are looked at for changes. */
const LISTS_MS = 1000;

/** @param kindOf tells captures from network interfaces (the command line has looked at the names already) */
export function createPatrol(config: Config, log: Log, kindOf: KindOf, stores: PatrolStores = {}): Patrol & PatrolControl {
  const interfaces: Running[] = [];
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const { promise: read, resolve: allRead } = Promise.withResolvers<void>();
  let preferences: Preferences = { ...DEFAULT_PREFERENCES, ...config.preferences };
  const lists = createListStore({
    sources: config.lists,
    ...(config.dataDirectory === undefined ? {} : { directory: config.dataDirectory }),
    now: () => Date.now(),
    log: { info: (text) => log.info({}, text), warn: (text) => log.warn({}, text) },
  });
  const hosts: HostBookData = hostData(config);
  const readTables = createTableReading(hosts, (reason) =>
    log.warn({}, `the tables of hosts could not be read ahead, so interfaces read them and pause for it: ${reason}`),
  );
  const hostNames = createNameService({
    hosts,
    resolve: config.resolveNames,
    onFound: (names) => {
      for (const running of alive()) running.tellHosts({ type: 'names', names });
    },
    onNames(names) {
      for (const running of alive()) running.tellNames(names);
      stores.learned?.(names);
    },
  });
  /** @throws what the signal says, once it is aborted */
  async function answersOf(query: FlowQuery, as: 'flows' | 'hosts', signal: AbortSignal | undefined): Promise<Answered[]> {
    const wanted = interfaces.filter(({ name }) => query.interface === undefined || name === query.interface);
    const answers = await Promise.all(wanted.map((running) => running.query(query, as, signal)));
    signal?.throwIfAborted();
    return answers.filter((answer) => answer !== undefined);
  }
  const scripts = createScriptService({
    config,
    log,
    stores,
    preferences: () => preferences,
    interfaces: () => interfaces.map(({ name, hosts: of }) => ({ name, hosts: of })),
  });
  const alive = (): Running[] => interfaces.filter((running) => running.state !== 'ended' && running.state !== 'failed');
  const configure = (changed: Preferences | undefined, compiled: CompiledLists | undefined): void => {
    for (const running of alive()) running.configure(changed, compiled);
  };
  let ids: IdsSources | undefined;
  let alerts: IdsAlert[] = []; // those before the first packet
  const openIds = async (): Promise<void> => {
    if (config.idsAlerts.length === 0) return;
    const live = config.interfaces.some((name) => kindOf(name) !== 'pcap');
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
    if (changed === undefined) return;
    if (shared !== undefined) shared = { ...shared, lists: changed };
    configure(undefined, changed);
  };
  let shared: Shared | undefined; // from the start on
  let refreshing: NodeJS.Timeout | undefined;
  let interfaceIds = 0;
  const finish = async (): Promise<void> => {
    await stores.alerts?.flush().catch((error: Error) => log.error({}, `alerts are not stored: ${error.message}`));
    clearInterval(refreshing);
    void ids?.close();
    hostNames.close();
    scripts.close();
    resolve();
  };

  return {
    done,
    read,
    async start() {
      for (const file of [config.exportFlows, config.exportEvents, config.exportAlerts]) {
        if (file !== undefined && file !== '-') prepareExport(file);
      }
      await openIds();
      const of: Shared = {
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
        readTables,
        hostNames,
        scripts,
        intake: stores.alerts,
        flows: stores.flows,
      };
      shared = of;
      for (const name of config.interfaces) interfaces.push(startInterface(interfaceIds++, name, kindOf(name), of));
      alerts = [];
      scripts.watch();
      refreshing = config.lists.length === 0 ? undefined : setInterval(() => void refreshLists(), LISTS_MS);
      void Promise.all(interfaces.map((running) => running.ended)).then(() => {
        allRead();
        if (stores.stays !== true) void finish();
      });
    },
    addInterface(name, file) {
      if (shared === undefined) throw new Error('the patrol has not started');
      const id = interfaceIds++;
      // what the command line says of exports and of packets is not about this one
      const { exportFlows: _flows, exportEvents: _events, exportAlerts: _alerts, flowQuery: _query, recordTo: _to, ...rest } = config;
      const own: Config = { ...rest, filter: '', originalSpeed: false, speed: 0, pcapCallbacks: 'all' };
      const running = startInterface(id, name, 'pcap', { ...shared, config: own, preferences, alerts: [] }, file);
      interfaces.push(running);
      return {
        id,
        ended: running.ended,
        remove() {
          running.stop();
          void running.ended.then(() => {
            const at = interfaces.indexOf(running);
            if (at >= 0) interfaces.splice(at, 1);
          });
        },
      };
    },
    async stop() {
      for (const running of interfaces) running.stop();
      await Promise.all(interfaces.map((running) => running.ended));
      if (stores.stays === true) await finish();
    },
    regulate(id, change) {
      const running = interfaces.find((of) => of.id === id);
      if (running === undefined) return 'unknown';
      if (running.progress === undefined) return 'no capture';
      if (!alive().includes(running)) return 'over';
      running.progress.regulate(change);
      return 'done';
    },
    preferences: () => preferences,
    setPreferences(values) {
      preferences = { ...preferences, ...values };
      configure(preferences, undefined);
    },
    queryFlows: async (query, signal) =>
      (await answersOf(query, 'flows', signal)).map(({ parts, ...of }) => ({
        ...of,
        ...addFigures(parts),
        events: parts.flatMap(({ flows }) => (flows === undefined ? [] : unpack(flows))),
      })),
    queryHosts: async (query, signal) =>
      (await answersOf(query, 'hosts', signal)).map(({ parts, interface: name }) => ({
        ...addFigures(parts),
        interface: name,
        hosts: parts.flatMap(({ hosts }) => hosts ?? []),
      })),
    scripts: scripts.control,
    endedFlows: () => interfaces.flatMap((running) => (running.endedFlows === undefined ? [] : [running.endedFlows])),
    listStatus: () => lists.status(),
    hostBook: () => hostNames.book,
    snapshot: () => ({
      interfaces: interfaces.map((running) => snapshotOf(running, stores.alerts)),
      scripts: interfaces.flatMap((running) => reportsOf(running).map((script) => ({ ...script, interface: running.name }))),
      losses: [
        ...IDS_COUNTERS.map(({ name, help, loss }) => ({ name: `ids.${name}`, help, value: loss ? (ids?.counters()[name] ?? 0) : 0 })),
        { name: 'dns.dropped', help: 'addresses that reverse DNS had no room for', value: hostNames.dropped() },
      ].filter((loss) => loss.value > 0),
    }),
  };
}
