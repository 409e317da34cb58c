/**
 * One script host as the main thread sees it: its thread (worker.ts), the memory that they share, what it says, and its end.
 *
 *   startHostThread ──HostData──► worker.ts ──HostMessage──► on.message        commands ──tell──► worker.ts
 *                                    └ a call that does not return, or a crash in one ──► on.stuck ──► terminate ──► what it left behind
 *
 * Made by hosts.ts.
 */
import { MessageChannel } from 'node:worker_threads';
import { createPendingBuffer, pendingLines, releaseOutputLock, writePending } from '../../exports/lines.ts';
import { CALLBACKS } from '../../flows/event.ts';
import {
  CALL_LOAD,
  HOST_ENDED,
  type HostCommand,
  type HostData,
  type HostMessage,
  type HostReport,
  type PendingLines,
  WATCH_CALLBACK,
  WATCH_COMMANDS,
  WATCH_DONE,
  WATCH_SCRIPT,
  WATCH_STATE,
  WATCH_WORDS,
} from '../../interfaces/protocol.ts';
import type { CacheChange } from '../cache.ts';
import { createJournalBuffer, openJournal } from '../journal.ts';
import { OUTBOX_LOST, OUTBOX_UNDER_WAY, OUTBOX_WAITING, OUTBOX_WORDS } from '../outbox.ts';
import type { HostVersions } from './file-book.ts';
import { prepareSpares, takeWorker } from './spare.ts';
import { endCall, watchCalls } from './watch.ts';

/** Where a host was when it was ended. */
export interface LastCall {
  /** The version that ran; undefined: none of a script's. */
  readonly script: { readonly path: string; readonly hash: string } | undefined;
  readonly what: 'call' | 'load' | 'unload';
  /** Of a call: position in CALLBACKS. */
  readonly callback: number;
  /** Callbacks of the event at the ring's tail that are through; -1: it has not been begun. */
  readonly done: number;
}

export interface HostThread {
  /** Path of its only script; undefined = of all. */
  readonly own: string | undefined;
  readonly ring: SharedArrayBuffer;
  report: HostReport | undefined;
  /** It has read everything and is through. */
  ended: boolean;
  tell(command: HostCommand): void;
  lastCall(): LastCall;
  versions(): HostVersions;
  /** Lines of exports that were lost with it. */
  linesLost(): number;
  /** Flows that did not get on their way into the history. */
  flowsLost(): number;
  /** Ends it, whatever it is doing. @returns what its scripts have kept last, when all that it left behind is taken care of */
  terminate(): Promise<readonly CacheChange[]>;
}

/** What is the same for all hosts of an interface, and what this one is for. */
type Given = Omit<HostData, 'watch' | 'port' | 'pending' | 'linesUnderWay' | 'journal' | 'outbox' | 'own'>;

export interface HostThreadOptions {
  readonly data: Given;
  readonly own: string | undefined;
  /** Flows are wanted for the history. */
  readonly history: boolean;
  readonly on: {
    /** @returns a promise where the host should not say much more until it has resolved */
    message(message: HostMessage, host: HostThread): Promise<void> | undefined;
    /** A call of its scripts was ended, and it is to be terminated. @param why `did not return for …` */
    stuck(host: HostThread, why: string): void;
    /** It died by itself, and not in a script. */
    crashed(error: Error): void;
    error(file: string, message: string): void;
  };
}

const word = (count = 1): Int32Array<SharedArrayBuffer> => new Int32Array(new SharedArrayBuffer(count * 4));

export function startHostThread({ data, own, history, on }: HostThreadOptions): HostThread {
  const watch = word(WATCH_WORDS);
  const lines = word();
  const outbox = history ? word(OUTBOX_WORDS) : undefined;
  const journal = createJournalBuffer();
  const pending: PendingLines = { flows: createPendingBuffer(), events: createPendingBuffer(), alerts: createPendingBuffer() };
  const { port1: theirs, port2: port } = new MessageChannel();
  const numbers = new Map<number, { readonly path: string; readonly hash: string }>();
  const tried = new Map<string, string>();
  let linesLost = 0;

  const { config } = data;
  const worker = takeWorker();
  worker.postMessage(
    {
      ...data,
      own: own !== undefined,
      watch: watch.buffer,
      port: theirs,
      pending,
      linesUnderWay: lines.buffer,
      journal,
      outbox: outbox?.buffer,
    } satisfies HostData,
    [theirs, ...data.flows],
  );
  watch[WATCH_DONE] = -1;
  const unwatch = watchCalls(
    watch,
    (why) => on.stuck(host, why),
    () => prepareSpares(2),
  );

  const host: HostThread = {
    own,
    ring: data.ring,
    report: undefined,
    ended: false,
    tell(command) {
      if (host.ended) return;
      port.postMessage(command);
      Atomics.add(watch, WATCH_COMMANDS, 1);
    },
    lastCall() {
      const callback = Atomics.load(watch, WATCH_CALLBACK);
      return {
        script: numbers.get(Atomics.load(watch, WATCH_SCRIPT)),
        what: callback < CALLBACKS.length ? 'call' : callback === CALL_LOAD ? 'load' : 'unload',
        callback,
        done: Atomics.load(watch, WATCH_DONE),
      };
    },
    versions() {
      const { what } = host.lastCall();
      const loading = Atomics.load(watch, WATCH_STATE) === HOST_ENDED && what === 'load' ? Atomics.load(watch, WATCH_SCRIPT) : 0;
      const loaded = new Map([...numbers].filter(([number]) => number !== loading).map(([, { path, hash }]) => [path, hash]));
      return { loaded, tried };
    },
    linesLost: () => linesLost,
    flowsLost: () => (outbox === undefined ? 0 : Atomics.load(outbox, OUTBOX_LOST)),
    async terminate() {
      Atomics.store(watch, WATCH_STATE, HOST_ENDED); // the watch has no more to do with it
      unwatch();
      await worker.terminate();
      releaseOutputLock(data.outputLock, data.lockHolder);
      writeLeft();
      return openJournal(journal).take();
    },
  };

  /** Writes the lines that the thread made and had no time to write. */
  function writeLeft(): void {
    const ofAll = own === undefined ? { flows: config.exportFlows, events: config.exportEvents } : {};
    for (const [what, path] of Object.entries({ ...ofAll, alerts: config.exportAlerts })) {
      if (path === undefined) continue;
      const left = pending[what as keyof PendingLines];
      try {
        writePending(path, left, data.outputLock, data.lockHolder);
      } catch (error) {
        linesLost += pendingLines(left);
        on.error(path, (error as Error).message);
      }
    }
  }

  const countDown = (words: Int32Array, at: number): void => {
    Atomics.sub(words, at, 1);
    Atomics.notify(words, at);
  };

  function said(message: HostMessage): void {
    if (message.type === 'script-number') {
      if (message.of === undefined) numbers.delete(message.number);
      else {
        numbers.set(message.number, message.of);
        tried.set(message.of.path, message.of.hash);
      }
      return;
    }
    const wait = on.message(message, host);
    if (message.type === 'flow-batch' && outbox !== undefined)
      void (wait ?? Promise.resolve()).then(() => countDown(outbox, OUTBOX_UNDER_WAY));
    if (message.type !== 'print' && message.type !== 'script-error' && message.type !== 'alerts') return;
    if (wait === undefined) countDown(lines, 0);
    else void wait.then(() => countDown(lines, 0));
  }

  worker.on('message', said);
  worker.on('exit', () => {
    if (outbox !== undefined) Atomics.add(outbox, OUTBOX_LOST, Atomics.exchange(outbox, OUTBOX_WAITING, 0));
    unwatch();
    port.close();
  });
  // it died by itself: of memory, most likely. Where its scripts were not running, it is no script's fault
  worker.on('error', (error: Error) => {
    if (Atomics.load(watch, WATCH_STATE) === HOST_ENDED) return; // it is being ended already
    if (!endCall(watch)) on.crashed(error);
    else if ((error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY') on.stuck(host, 'used up the memory of its host');
    else on.stuck(host, `ended its host: ${error.message}`);
  });
  return host;
}
