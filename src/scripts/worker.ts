/**
 * The thread of a script host: ring of lifecycle events → scripts and exports. Started by hosting/spare.ts, it begins with its HostData (hosting/host-thread.ts); it ends when the
 * writer has closed the ring and every event is read.
 *
 *   ring ──event──► host.run per callback ──► exports, recording ──► release
 *            └────► rings of scripts that have a host of their own
 *
 * It turns no event loop but for the sake of memory: commands of the main thread are looked at between two visits and while nothing comes. While scripts run, the
 * main thread may end it from outside (hosts.ts): so everything that a callback leads to happens after it, with WATCH_STATE idle, and is
 * complete when WATCH_DONE counts it.
 */
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { type MessagePort, parentPort, receiveMessageOnPort } from 'node:worker_threads';
import type { RaisedFlowAlert } from '../alerts/alert.ts';
import { systemClock } from '../alerts/clock.ts';
import { createAlertIds } from '../alerts/ids.ts';
import { newAlert } from '../alerts/new-alert.ts';
import { raisedByCore, raisedByScript } from '../alerts/raise.ts';
import { alertTranslator } from '../alerts/words.ts';
import { type LineWriter, openLines } from '../exports/lines.ts';
import { compileFilter } from '../filter/filter.ts';
import { CALLBACK_BIT, CALLBACKS, type Callback, E_CALLBACKS, E_LENGTH, EVENT_VERSION } from '../flows/event.ts';
import { eventLine, flowLine } from '../flows/export.ts';
import type { FlowOverride } from '../flows/overrides.ts';
import { createRingReader, createRingWriter, drain, type RingWriter } from '../flows/ring.ts';
import { answerOf, selectEvents } from '../flows/selection.ts';
import { createEventView, type EventView } from '../flows/view.ts';
import { openHostBook } from '../hosts/host-book.ts';
import {
  CALL_LOAD,
  CALL_UNLOAD,
  CONTROL_FEEDS_BACK,
  CONTROL_HOST_READY,
  HOST_ENDED,
  HOST_IDLE,
  HOST_IN_CALL,
  type HostCommand,
  type HostData,
  type HostFile,
  type HostMessage,
  type HostReport,
  WATCH_CALLBACK,
  WATCH_CALLS,
  WATCH_COMMANDS,
  WATCH_DONE,
  WATCH_SCRIPT,
  WATCH_STATE,
  WATCH_THREAD,
} from '../interfaces/protocol.ts';
import { native } from '../native.ts';
import { filesInput, recordedSink } from '../recording/sink.ts';
import { openRecording, type RecordingWriter } from '../recording/writer.ts';
import { ALERT_TYPES, SEVERITIES } from './alert-types.ts';
import { type CacheChange, createScriptCache } from './cache.ts';
import { foldersOf } from './files.ts';
import { createScriptHost, type FlowChange, type HostSink } from './host.ts';
import { openJournal } from './journal.ts';
import { loadLocales } from './locales.ts';
import { unmaskedCallbacks } from './mask.ts';
import { createNameExchange } from './names.ts';
import { createOutbox } from './outbox.ts';
import type { SkipReason } from './report.ts';
import { openTallies, type Tally } from './tally.ts';
import type { TraceEntry } from './trace.ts';

/** The first message; a thread may be started before it is needed. */
const data = await new Promise<HostData>((resolve) => parentPort?.once('message', resolve));
const { config } = data;

/** How often figures go to the main thread, ms. */
const REPORT_MS = 250;
/** Script output and script errors a second that reach the log on a live interface. */
const LOG_LINES_PER_SECOND = 50;
/** Lines and alerts of scripts that may be on their way to the main thread: beyond it the scripts wait, or the queue would grow without end. */
const MOST_LINES_UNDER_WAY = 1000;
/** Traces between two reports of a live interface; the rest is left out. */
const MOST_TRACES = 5000;

/** Callbacks at which the history is told of a flow: its end, and every while that it lives. */
const TOLD = CALLBACK_BIT.idle | CALLBACK_BIT.periodicUpdate;

/** Folders of the user's own texts. */
const LOCALES = config.dataDirectory === undefined ? [] : [join(config.dataDirectory, 'locales')];

const say = (message: HostMessage): void => parentPort?.postMessage(message);

const linesUnderWay = new Int32Array(data.linesUnderWay);
function sayLine(message: HostMessage): void {
  for (;;) {
    const lines = Atomics.load(linesUnderWay, 0);
    if (lines < MOST_LINES_UNDER_WAY) break;
    Atomics.wait(linesUnderWay, 0, lines);
  }
  Atomics.add(linesUnderWay, 0, 1);
  say(message);
}

/** Passes so many calls a second; files are never limited. */
function rateLimit(perSecond: number): () => boolean {
  let second = 0;
  let used = 0;
  return () => {
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) {
      second = now;
      used = 0;
    }
    return ++used <= perSecond;
  };
}

/** The alert of a script that was switched off, about the flow at which that happened. */
const SWITCHED_OFF = {
  alertType: ALERT_TYPES.find(({ name }) => name === 'user_script_calls_drops')?.id ?? 0,
  alertTypeName: 'user_script_calls_drops',
  severity: SEVERITIES.indexOf('error'),
  severityName: 'error',
} as const;

const watch = new Int32Array(data.watch);
watch[WATCH_DONE] = -1;
let calls = 0;
/** Scripts run from here on. A row of calls counts as one stay: each operation of `Atomics` costs. */
function enter(call: number, script = 0): void {
  watch[WATCH_CALLBACK] = call;
  watch[WATCH_SCRIPT] = script;
  Atomics.store(watch, WATCH_CALLS, ++calls);
  Atomics.store(watch, WATCH_STATE, HOST_IN_CALL);
}
/** They have returned. If the main thread has decided otherwise in the meantime, this thread has come to its end. */
function leave(): void {
  if (Atomics.compareExchange(watch, WATCH_STATE, HOST_IN_CALL, HOST_IDLE) === HOST_ENDED) Atomics.wait(watch, WATCH_STATE, HOST_ENDED);
}

/** Does what takes its time and is no script's fault, in the middle of a call or elsewhere. */
function aside<T>(work: () => T): T {
  const inCall = watch[WATCH_STATE] === HOST_IN_CALL;
  if (inCall) leave();
  const result = work();
  if (inCall) {
    Atomics.store(watch, WATCH_CALLS, ++calls);
    Atomics.store(watch, WATCH_STATE, HOST_IN_CALL);
  }
  return result;
}

async function main(): Promise<void> {
  const live = data.kind === 'packet';
  Atomics.store(watch, WATCH_THREAD, native.threadId());
  const book = openHostBook(data.hosts, aside);
  const view = createEventView(data.names, book);
  const readerGone = (): void => say({ type: 'reader-gone' });
  const open = (path: string | undefined, pending: SharedArrayBuffer): LineWriter | undefined =>
    path === undefined ? undefined : openLines(path, data.outputLock, data.lockHolder, readerGone, pending);
  const exportFlows = data.own ? undefined : open(config.exportFlows, data.pending.flows);
  const exportEvents = data.own ? undefined : open(config.exportEvents, data.pending.events);
  const exportAlerts = open(config.exportAlerts, data.pending.alerts);
  const exports = [exportFlows, exportEvents, exportAlerts].filter((writer) => writer !== undefined);
  const passes = live ? rateLimit(LOG_LINES_PER_SECOND) : () => true;
  const picked = data.own || config.flowQuery === undefined ? undefined : selectEvents(config.flowQuery, data.names);
  const names = createNameExchange(data, book, say);
  const cache = createScriptCache({ now: () => clock });
  cache.apply(data.cache);
  const numbers = new Map(data.files.map(({ number, change }) => [change.path, number]));
  // scripts that have a host of their own, and those that rest, which have no ring
  const forwards = new Map<string, { readonly shared: SharedArrayBuffer; readonly ring: RingWriter } | undefined>();
  let preferences = data.preferences;
  let clock = 0; // s
  let printsDropped = 0;
  let traceFilter = config.traceFlows === undefined ? undefined : compileFilter(config.traceFlows, data.names);
  let traces: TraceEntry[] = [];
  let tracesDropped = 0;

  const unmasked = unmaskedCallbacks(config, live);
  const mask = unmasked.reduce((bits, callback) => bits | CALLBACK_BIT[callback], 0);
  const folders = foldersOf(config.scriptDirectories);
  const recording = record(folders, unmasked, live);

  const flowOf = (of: EventView | undefined): { flow?: string } => (of === undefined ? {} : { flow: of.flowId() });
  const outbox =
    data.outbox === undefined || data.own
      ? undefined
      : createOutbox(live, data.outbox, (batch) =>
          parentPort?.postMessage({ type: 'flow-batch', batch } satisfies HostMessage, [batch.buffer]),
        );
  const nextId = createAlertIds(systemClock);
  const translate = exportAlerts === undefined ? undefined : alertTranslator(config.language, LOCALES);
  function raise(raised: RaisedFlowAlert): void {
    if (exportAlerts === undefined || translate === undefined) {
      sayLine({ type: 'alerts', alerts: [raised] });
      return;
    }
    const alert = newAlert(raised, nextId(), translate);
    if (data.alerts) sayLine({ type: 'alerts', alerts: [{ ...raised, id: alert.id }] });
    exportAlerts.write(JSON.stringify(alert));
  }
  const sink: HostSink = {
    alert(alert, of) {
      if (data.alerts || exportAlerts !== undefined) raise(raisedByScript(alert, of));
    },
    print(script, level, line, callback, of) {
      if (passes()) sayLine({ type: 'print', script, level, line, callback, ...flowOf(of) });
      else printsDropped++;
    },
    error(script, callback, message, of) {
      if (passes()) sayLine({ type: 'script-error', script, callback, message, ...flowOf(of) });
      else printsDropped++;
    },
    changes(changes, of) {
      for (const change of changes) tell(change, of);
    },
    loaded: (script, version, replaced) => say({ type: 'script-loaded', script, version, replaced }),
    switched(script, on, reason, of, callback) {
      say({ type: 'script-switched', script, on, reason });
      if (on) return;
      // nobody looks at the log: what calls no script any more is an alert
      const info = JSON.stringify({ switched_off: reason });
      sink.alert(
        { ...SWITCHED_OFF, script, version: '', callback, shadow: false, info: Buffer.from(info).toString('latin1'), reason: {} },
        of,
      );
    },
    trace(callback, scripts, of) {
      if (config.recordTo !== undefined) return; // they are in there
      if (live && traces.length >= MOST_TRACES) {
        tracesDropped++;
        return;
      }
      traces.push({
        flow: of.flowId(),
        label: labelOf(of),
        visit: of.visit(),
        time: of.time(),
        callback,
        statusBefore: of.statusBefore(),
        status: of.status(),
        scripts,
      });
    },
  };

  /** Hands what a script wants of a flow to the thread that has the flow. */
  function tell(change: FlowChange, of: EventView): void {
    const seq = of.seq();
    const port = data.flows[(seq - 1) % data.flows.length] as MessagePort;
    const { status, score } = change;
    if (status === undefined && score?.of !== 'flow') return;
    const override: FlowOverride = {
      flow: of.place(),
      seq,
      ...(status === undefined ? {} : { status }),
      ...(score === undefined ? {} : { score: score.value }),
    };
    port.postMessage(override);
  }

  const tallies = openTallies(data.tallies, mask);
  const tallyOf = (path: string, callback: Callback): Tally => tallies.of(numbers.get(path) ?? 0, callback);
  /** Counts an event that a script with a host of its own does not get. */
  const leftOut = (path: string, bytes: Uint8Array, at: number, reason: SkipReason, behind = 0): void =>
    tallies.leftOut(numbers.get(path) ?? 0, bytes[at + E_CALLBACKS] as number, reason, behind);
  const host = await createScriptHost({
    directories: folders,
    interfaceId: data.id,
    interfaceName: data.name,
    live,
    seed: data.seed,
    names: data.names,
    hosts: book,
    preferences: () => preferences,
    cache,
    translate: loadLocales(LOCALES, (text) =>
      sayLine({ type: 'print', script: '', level: 'warning', line: text, callback: 'load' }),
    ).translator(config.language),
    sink: recording === undefined ? sink : recordedSink(sink, recording, () => CALLBACKS[watch[WATCH_CALLBACK] as number] as Callback),
    running: watch.subarray(WATCH_SCRIPT, WATCH_SCRIPT + 1),
    guard(number, { path, hash }, what, work) {
      if (what === 'load') say({ type: 'script-number', number, of: { path, hash } });
      let loaded = false;
      enter(what === 'load' ? CALL_LOAD : CALL_UNLOAD, number);
      try {
        const result = work();
        loaded = what === 'load';
        return result;
      } finally {
        leave();
        if (!loaded) say({ type: 'script-number', number });
      }
    },
    tally: tallyOf,
    traced: (of) => traceFilter?.matches(of) === true,
  });
  const excluded = new Set(data.excluded);
  host.exclude(data.excluded);
  const change = (files: readonly HostFile[]): void => {
    const changes = files.map((file) => file.change);
    recording?.input(filesInput(changes));
    host.change(changes);
  };
  if (data.resume === undefined) recording?.input({ type: 'cache', changes: data.cache });
  for (const [key, to] of data.switches) {
    if (data.resume === undefined) recording?.input({ type: 'switch', key, to });
    host.switch(key, to);
  }
  change(data.files);

  const control = new Int32Array(data.control);
  let called = 0;
  const settled = (): void => {
    called = host.callbacks() & mask;
    if (host.feedsBack()) Atomics.store(control, CONTROL_FEEDS_BACK, 1);
    Atomics.store(control, CONTROL_HOST_READY, 1);
    Atomics.notify(control, CONTROL_HOST_READY);
  };
  settled();

  const report = (): HostReport => ({
    scripts: host.reports(),
    linesExported: exports.reduce((sum, writer) => sum + writer.lines, 0),
    printsDropped,
    effectsDropped: host.effectsDropped() + tracesDropped,
    hosts: book.counters(),
    cache: cache.counters(),
  });

  // What the main thread wants ------------------------------------------------------------------------------

  function obey(command: HostCommand): void {
    switch (command.type) {
      case 'names':
        recording?.input(command);
        names.found(command.names);
        break;
      case 'files':
        for (const { number, change } of command.files) numbers.set(change.path, number);
        change(command.files);
        settled();
        reloaded = true;
        break;
      case 'switch':
        recording?.input(command);
        host.switch(command.key, command.to);
        settled();
        break;
      case 'preferences':
        recording?.input(command);
        preferences = command.preferences;
        break;
      case 'cache':
        recording?.input(command);
        cache.apply(command.changes);
        break;
      case 'forward': {
        const { path, ring, back } = command;
        const before = forwards.get(path);
        before?.ring.close();
        if (back) forwards.delete(path);
        else forwards.set(path, ring && { shared: ring, ring: createRingWriter(ring) });
        if (before !== undefined && ring === undefined) drain(before.shared, (bytes, at) => leftOut(path, bytes, at, 'broken'));
        if (back) excluded.delete(path);
        else excluded.add(path);
        host.exclude(excluded);
        settled();
        break;
      }
      case 'trace':
        traceFilter = command.filter === '' ? undefined : compileFilter(command.filter, data.names);
        break;
    }
  }

  /** The event loop is to be turned: what V8 has to say of contexts that are gone waits there (typescript/contexts.ts). */
  let reloaded = false;
  let obeyed = 0;
  function obeyAll(): void {
    while (obeyed !== Atomics.load(watch, WATCH_COMMANDS)) {
      const received = receiveMessageOnPort(data.port) as { message: HostCommand } | undefined;
      if (received === undefined) return; // it is on its way
      obeyed++;
      obey(received.message);
    }
  }

  const journal = openJournal(data.journal);
  /** What scripts have kept is safe from the end of this thread, and goes to the main thread now and then. */
  const keepCache = (): void => {
    const changes = cache.takeChanges();
    if (!journal.append(changes)) tellCache(changes);
  };
  const tellCache = (last: readonly CacheChange[]): void => {
    const changes = [...journal.take(), ...last];
    if (changes.length > 0) say({ type: 'cache', changes });
  };

  let reported = performance.now();
  function tellMain(): void {
    reported = performance.now();
    for (const writer of exports) writer.flush();
    recording?.flush();
    outbox?.flush();
    names.exchange();
    tellCache(cache.takeChanges());
    if (traces.length > 0) say({ type: 'trace', entries: traces });
    traces = [];
    say({ type: 'report', report: report() });
  }

  // One event -------------------------------------------------------------------------------------------------

  /**
   * Gives the event to the hosts of single scripts. A live interface waits for none of them.
   * @param behind callbacks of it that they have behind them
   */
  function forward(at: number, length: number, paths: Iterable<string>, behind = 0): void {
    for (const path of paths) {
      while (forwards.has(path)) {
        const ring = forwards.get(path)?.ring;
        if (ring === undefined) {
          leftOut(path, events.bytes, at, 'broken', behind);
          break;
        }
        const to = ring.reserve(length);
        if (to >= 0) {
          ring.bytes.set(events.bytes.subarray(at, at + length), to);
          ring.commit(length);
          break;
        }
        if (live) {
          leftOut(path, events.bytes, at, 'queue full', behind);
          break;
        }
        ring.waitForRoom(length, REPORT_MS);
        obeyAll(); // the host may have been given up
      }
    }
  }

  /**
   * The hosts of single scripts have read what there was for them: then what the interface thread waits for, before a visit of a capture,
   * is what all scripts want of its flows.
   */
  function catchUp(): void {
    if (Atomics.load(control, CONTROL_FEEDS_BACK) === 0) return;
    for (const path of [...forwards.keys()]) while (forwards.get(path)?.ring.waitUntilRead(REPORT_MS) === false) obeyAll();
  }

  function take(at: number, length: number, resumed: HostData['resume']): void {
    const due = events.bytes[at + E_CALLBACKS] as number;
    clock = view.time() / 1e6;
    if (resumed === undefined) {
      if (forwards.size > 0) forward(at, length, forwards.keys());
    } else if (resumed.handOn !== undefined) {
      forward(at, length, [resumed.handOn], resumed.done + 1);
    }
    watch[WATCH_DONE] = resumed?.done ?? 0;
    recording?.event(events.bytes, at, length);
    let count = 0;
    for (const callback of view.callbacks()) {
      if (++count <= (resumed?.done ?? 0)) continue;
      if ((called & CALLBACK_BIT[callback]) !== 0) {
        enter(CALLBACKS.indexOf(callback));
        host.call(view, callback);
        leave();
        host.commit(view, callback);
        if (cache.dirty()) keepCache();
      }
      exportEvents?.write(eventLine(view, callback));
      watch[WATCH_DONE] = count;
    }
    if ((data.alerts || exportAlerts !== undefined) && !data.own && view.alertedNow()) raise(raisedByCore(view));
    if ((due & TOLD) !== 0) outbox?.put(events.bytes, at, length);
    if (exports.length > 0 || picked !== undefined) {
      if ((due & CALLBACK_BIT.idle) !== 0) {
        exportFlows?.write(flowLine(view));
        picked?.offer(view);
      }
    }
  }

  say({ type: 'report', report: report() });
  const events = createRingReader(data.ring);
  const words = new Uint32Array(events.bytes.buffer, events.bytes.byteOffset, events.bytes.byteLength >> 2);
  let resume = data.resume;
  let visit = -1;
  let count = 0;
  for (;;) {
    let at = events.next(0);
    if (at === -1) {
      obeyAll();
      at = events.next(REPORT_MS);
      obeyAll();
    }
    if (at === -2) break;
    if (at >= 0) {
      view.set(events.bytes, at);
      if (view.visit() !== visit) {
        obeyAll();
        visit = view.visit();
        host.crowd(live && events.crowded());
      }
      if (!data.own) names.learn(view);
      const length = words[(at + E_LENGTH) >> 2] as number;
      take(at, length, resume);
      resume = undefined;
      watch[WATCH_DONE] = -1;
      if (host.overfull()) await host.relieve(view);
      if (reloaded) await turn();
      reloaded = false;
      if (!live && forwards.size > 0 && events.isLast(length)) catchUp();
      events.release(length);
    }
    if ((at < 0 || (++count & 0xff) === 0) && performance.now() - reported >= REPORT_MS) tellMain();
  }
  obeyAll();
  for (const own of forwards.values()) own?.ring.close();
  for (const writer of exports) writer.close();
  tellMain();
  if (picked !== undefined) {
    const { names: _names, interface: _interface, ...flows } = answerOf(picked, data.names);
    say({ type: 'flows', ...flows });
  }
  const last = report();
  host.close();
  recording?.close();
  say({ type: 'ended', report: last });
}

/** @param callbacks those that are called at all */
function record(directories: readonly string[], callbacks: readonly Callback[], live: boolean): RecordingWriter | undefined {
  const { recordTo } = config;
  if (recordTo === undefined || data.own) return undefined;
  return openRecording(
    recordTo.path,
    {
      version: recordTo.version,
      events: EVENT_VERSION,
      began: new Date().toISOString(),
      interface: { id: data.id, name: data.name, kind: data.kind },
      live,
      seed: data.seed,
      callbacks,
      directories,
      locales: LOCALES,
      language: config.language,
      names: data.names,
      hosts: data.hosts,
      preferences: data.preferences,
    },
    { events: recordTo.events, ...(data.recording === undefined ? {} : { state: data.recording }) },
  );
}

const L4_NAMES: Readonly<Record<number, string>> = { 1: 'ICMP', 6: 'TCP', 17: 'UDP', 58: 'ICMPv6', 132: 'SCTP' };

/** `[TCP] 10.0.0.1:51514 -> 10.0.0.2:80` */
function labelOf(view: EventView): string {
  const end = (address: string, port: number): string =>
    port === 0 ? address : `${address.includes(':') ? `[${address}]` : address}:${port}`;
  return `[${L4_NAMES[view.l4()] ?? view.l4()}] ${end(view.client(), view.clientPort())} -> ${end(view.server(), view.serverPort())}`;
}

main().catch((error: Error) => {
  say({ type: 'failed', error: error.message });
});
