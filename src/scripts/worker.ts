/**
 * The thread of a script host: ring of lifecycle events → scripts and exports. Started by hosting/spare.ts, it begins with its HostData
 * (hosting/host-thread.ts); it ends when the writer has closed the ring and every event is read.
 *
 *   ring ──event──► host.call per callback ──► exports, recording ──► release
 *            └────► rings of scripts that have a host of their own (hosting/forwards.ts)
 *
 * It turns no event loop but for the sake of memory: commands of the main thread are looked at between two visits and while nothing
 * comes. While scripts run, the main thread may end it from outside (hosting/stay.ts): so everything that a callback leads to
 * (hosting/told.ts) happens after it and is complete when WATCH_DONE counts it.
 */
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { parentPort, receiveMessageOnPort } from 'node:worker_threads';
import { raisedByCore } from '../alerts/raise.ts';
import { alertTranslator } from '../alerts/words.ts';
import { type LineWriter, openLines } from '../exports/lines.ts';
import { compileFilter } from '../filter/filter.ts';
import { CALLBACK_BIT, CALLBACKS, type Callback, E_CALLBACKS, E_LENGTH, EVENT_VERSION } from '../flows/event.ts';
import { eventLine, flowLine } from '../flows/export.ts';
import { createRingReader } from '../flows/ring.ts';
import { answerOf, selectEvents } from '../flows/selection.ts';
import { createEventView } from '../flows/view.ts';
import { openHostBook } from '../hosts/host-book.ts';
import {
  CALL_LOAD,
  CALL_UNLOAD,
  CONTROL_FEEDS_BACK,
  CONTROL_HOST_READY,
  type HostCommand,
  type HostData,
  type HostFile,
  type HostMessage,
  type HostReport,
  WATCH_CALLBACK,
  WATCH_COMMANDS,
  WATCH_DONE,
  WATCH_SCRIPT,
  WATCH_THREAD,
} from '../interfaces/protocol.ts';
import { native } from '../native.ts';
import { filesInput, recordedSink } from '../recording/sink.ts';
import { openRecording, type RecordingWriter } from '../recording/writer.ts';
import { type CacheChange, createScriptCache } from './cache.ts';
import { foldersOf } from './files.ts';
import { createScriptHost } from './host.ts';
import { createForwards } from './hosting/forwards.ts';
import { createStay } from './hosting/stay.ts';
import { createTold } from './hosting/told.ts';
import { openJournal } from './journal.ts';
import { loadLocales } from './locales.ts';
import { unmaskedCallbacks } from './mask.ts';
import { createNameExchange } from './names.ts';
import { createOutbox } from './outbox.ts';
import { openTallies, type Tally } from './tally.ts';

/** The first message; a thread may be started before it is needed. */
const data = await new Promise<HostData>((resolve) => parentPort?.once('message', resolve));
const { config } = data;

/** How often figures go to the main thread, ms. */
const REPORT_MS = 250;
/** Callbacks at which the history is told of a flow: its end, and every while that it lives. */
const TOLD = CALLBACK_BIT.idle | CALLBACK_BIT.periodicUpdate;

/** Folders of the user's own texts. */
const LOCALES = config.dataDirectory === undefined ? [] : [join(config.dataDirectory, 'locales')];

const say = (message: HostMessage): void => parentPort?.postMessage(message);

const watch = new Int32Array(data.watch);
watch[WATCH_DONE] = -1;
const { enter, leave, aside } = createStay(watch);

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
  const picked = data.own || config.flowQuery === undefined ? undefined : selectEvents(config.flowQuery, data.names);
  const names = createNameExchange(data, book, say);
  const cache = createScriptCache({ now: () => clock });
  cache.apply(data.cache);
  const numbers = new Map(data.files.map(({ number, change }) => [change.path, number]));
  let preferences = data.preferences;
  let clock = 0; // s
  let traceFilter = config.traceFlows === undefined ? undefined : compileFilter(config.traceFlows, data.names);

  const unmasked = unmaskedCallbacks(config, live);
  const mask = unmasked.reduce((bits, callback) => bits | CALLBACK_BIT[callback], 0);
  const folders = foldersOf(config.scriptDirectories);
  const recording = record(folders, unmasked, live);

  const outbox =
    data.outbox === undefined || data.own
      ? undefined
      : createOutbox(live, data.outbox, (batch) =>
          parentPort?.postMessage({ type: 'flow-batch', batch } satisfies HostMessage, [batch.buffer]),
        );
  const { sink, raise, ...told } = createTold({
    data,
    live,
    say,
    alerts: exportAlerts && { writer: exportAlerts, translate: alertTranslator(config.language, LOCALES) },
  });
  const tallies = openTallies(data.tallies, mask);
  const tallyOf = (path: string, callback: Callback): Tally => tallies.of(numbers.get(path) ?? 0, callback);
  /** Scripts that have a host of their own, and those that rest. */
  const forwards = createForwards({
    live,
    leftOut: (path, bytes, at, reason, behind) =>
      tallies.leftOut(numbers.get(path) ?? 0, bytes[at + E_CALLBACKS] as number, reason, behind),
    attend: obeyAll,
  });
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
      told.sayLine({ type: 'print', script: '', level: 'warning', line: text, callback: 'load' }),
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
    printsDropped: told.printsDropped(),
    effectsDropped: host.effectsDropped() + told.tracesDropped(),
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
        if (back) forwards.delete(path);
        else forwards.set(path, ring);
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
    const traces = told.takeTraces();
    if (traces.length > 0) say({ type: 'trace', entries: traces });
    say({ type: 'report', report: report() });
  }

  // One event -------------------------------------------------------------------------------------------------

  /**
   * The hosts of single scripts have read what there was for them: then what the interface thread waits for, before a visit of a capture,
   * is what all scripts want of its flows.
   */
  function catchUp(): void {
    if (Atomics.load(control, CONTROL_FEEDS_BACK) === 0) return;
    forwards.catchUp();
  }

  function take(at: number, length: number, resumed: HostData['resume']): void {
    const due = events.bytes[at + E_CALLBACKS] as number;
    clock = view.time() / 1e6;
    if (resumed === undefined) {
      if (forwards.size > 0) forwards.give(events.bytes, at, length, forwards.paths(), 0);
    } else if (resumed.handOn !== undefined) {
      forwards.give(events.bytes, at, length, [resumed.handOn], resumed.done + 1);
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
  forwards.close();
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

main().catch((error: Error) => {
  say({ type: 'failed', error: error.message });
});
