/**
 * The script host of one interface: ring of lifecycle events → scripts and exports. Started by patrol.ts with
 * HostData; it ends when the interface's thread has closed the ring and every event is read.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { type LineWriter, lockHolder, openLines } from '../exports/lines.ts';
import { CALLBACK_BIT, CALLBACKS, type Callback, E_CALLBACKS, E_LENGTH } from '../flows/event.ts';
import { alertLine, coreAlertLine, eventLine, flowLine } from '../flows/export.ts';
import { createRingReader } from '../flows/ring.ts';
import { createSelection } from '../flows/selection.ts';
import { createEventView } from '../flows/view.ts';
import { openHostBook } from '../hosts/host-book.ts';
import { type HostData, type HostMessage, type HostReport, WATCH_CALLS, WATCH_IN_CALL, WATCH_UNWRITTEN } from '../interfaces/protocol.ts';
import { createLuaEngine, type ScriptSink } from './engine.ts';
import { createNameExchange } from './names.ts';

const data = workerData as HostData;
const { config } = data;

/** How often figures go to the main thread, ms. */
const REPORT_MS = 250;
/** Script output and script errors a second that reach the log on a live interface. */
const LOG_LINES_PER_SECOND = 50;

/** Lines of scripts that may be on their way to the log: beyond it the scripts wait, or the queue would grow without end. */
const MOST_LINES_UNDER_WAY = 1000;

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

async function main(): Promise<void> {
  const live = data.kind === 'packet';
  const book = openHostBook(data.hosts);
  const view = createEventView(data.names, book);
  const readerGone = (): void => say({ type: 'reader-gone' });
  const open = (path: string | undefined): LineWriter | undefined =>
    path === undefined ? undefined : openLines(path, data.outputLock, lockHolder(data.id), readerGone);
  const exportFlows = open(config.exportFlows);
  const exportEvents = open(config.exportEvents);
  const exportAlerts = open(config.exportAlerts);
  const exports = [exportFlows, exportEvents, exportAlerts].filter((writer) => writer !== undefined);
  const watch = new Int32Array(data.watch);
  let calls = 0;
  let inCall = false;
  /** Begins a call, or says that no script runs. A row of calls counts as one stay: each operation of `Atomics` costs. */
  const watched = (calling: boolean): void => {
    if (calling) Atomics.store(watch, WATCH_CALLS, ++calls);
    if (calling === inCall) return;
    inCall = calling;
    Atomics.store(watch, WATCH_IN_CALL, calling ? 1 : 0);
  };
  const unwritten = (): number => exports.reduce((sum, writer) => sum + writer.unwritten, 0);
  const passes = live ? rateLimit(LOG_LINES_PER_SECOND) : () => true;
  const picked = config.flowQuery === undefined ? undefined : createSelection(config.flowQuery, data.names);
  const names = createNameExchange(data, book, say);
  let alerts = 0;
  let printsDropped = 0;

  /** Waiting for a slow reader of an export or of the log is not the script's time. */
  const outside = (work: () => void): void => {
    watched(false);
    work();
    watched(true);
  };
  const sink: ScriptSink = {
    alert(alert, of) {
      alerts++;
      outside(() => exportAlerts?.write(alertLine(alert, of)));
    },
    print(script, line) {
      if (passes()) outside(() => sayLine({ type: 'print', script, line }));
      else printsDropped++;
    },
    error(script, callback, message) {
      if (passes()) outside(() => sayLine({ type: 'script-error', script, callback, message }));
      else printsDropped++;
    },
  };
  const scripts = await createLuaEngine({
    directories: config.scripts ? config.scriptDirectories : [],
    interfaceId: data.id,
    interfaceName: data.name,
    live,
    hosts: book,
    sink,
  });
  watched(false); // messages of the loading are no calls
  const unmasked = (callback: Callback): boolean => live || config.pcapCallbacks === 'all' || callback === 'protocolDetected';
  /** Bits of the callbacks that some script has and that are not masked. */
  const called = CALLBACKS.filter(
    (callback) => unmasked(callback) && scripts.scripts.some((script) => script.callbacks.includes(callback)),
  ).reduce((bits, callback) => bits | CALLBACK_BIT[callback], 0);

  const report = (): HostReport => ({
    scripts: scripts.scripts,
    alerts,
    linesExported: exports.reduce((sum, writer) => sum + writer.lines, 0),
    printsDropped,
    hosts: book.counters(),
  });

  say({ type: 'report', report: report() });
  const ring = createRingReader(data.ring);
  const words = new Uint32Array(ring.bytes.buffer, ring.bytes.byteOffset, ring.bytes.byteLength >> 2);
  let reported = performance.now();
  let count = 0;
  for (;;) {
    let at = ring.next(0);
    if (at === -1) {
      watched(false);
      at = ring.next(REPORT_MS);
    }
    if (at === -2) break;
    if (at >= 0) {
      view.set(ring.bytes, at);
      names.learn(view);
      const due = ring.bytes[at + E_CALLBACKS] as number;
      if ((due & called) === 0) watched(false);
      for (const callback of view.callbacks()) {
        if ((called & CALLBACK_BIT[callback]) !== 0) {
          watched(true);
          scripts.run(view, callback);
        }
        if (exportEvents !== undefined) {
          watched(false);
          exportEvents.write(eventLine(view, callback));
        }
      }
      if (exports.length > 0 || picked !== undefined) {
        watched(false);
        if (view.alertedNow()) exportAlerts?.write(coreAlertLine(view));
        if ((due & CALLBACK_BIT.idle) !== 0) {
          exportFlows?.write(flowLine(view));
          picked?.offer(ring.bytes, at, words[(at + E_LENGTH) >> 2] as number, view);
        }
        Atomics.store(watch, WATCH_UNWRITTEN, unwritten());
      }
      ring.release(words[(at + E_LENGTH) >> 2] as number);
    }
    if (at < 0 || (++count & 0xff) === 0) {
      const now = performance.now();
      if (now - reported >= REPORT_MS) {
        reported = now;
        watched(false);
        for (const writer of exports) writer.flush();
        names.exchange();
        say({ type: 'report', report: report() });
      }
    }
  }
  watched(false);
  for (const writer of exports) writer.close();
  names.exchange();
  if (picked !== undefined) {
    const { names: _names, interface: _interface, ...flows } = picked.answer();
    say({ type: 'flows', ...flows });
  }
  const last = report();
  scripts.close();
  say({ type: 'ended', report: last });
}

main().catch((error: Error) => {
  say({ type: 'failed', error: error.message });
});
