/**
 * The threads that capture one `-i`, as if they were one: usually it is one, and then nothing is done here but starting it.
 *
 *   post(command) ──► every thread            each thread ──InterfaceMessage──► joined ──► on.message
 *   counters(), gauges()                      of all threads together
 *
 * Runs in the main thread; patrol.ts makes one per `-i`.
 *
 *   running   when all are           answer      when all have answered, their parts together
 *   lost      when the first is      ended       when all have
 *   ready     of the first           failed      when one has and the others, told to stop, have ended
 */
import { randomInt } from 'node:crypto';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { COUNTERS, counterIndex } from '../flows/counters.ts';
import type { Names } from '../flows/view.ts';
import type { CapturePace } from '../patrol-types.ts';
import { TALLY_BYTES } from './ids-tally.ts';
import { GATE_BYTES } from './live/gate.ts';
import {
  CONTROL_COMMANDS,
  CONTROL_PAUSED,
  CONTROL_SPEED,
  CONTROL_STOP,
  CONTROL_WORDS,
  GAUGE_BEGAN,
  GAUGE_COUNT,
  type InterfaceCommand,
  type InterfaceData,
  type InterfaceMessage,
  type ProtocolTotals,
  SPEED_UNIT,
  type ThreadAnswer,
} from './protocol.ts';

export interface InterfaceThreads {
  /** One double per declared counter. */
  counters(): Float64Array;
  /** One double per GAUGE_*. */
  gauges(): Float64Array;
  /** Packets that each thread has read. */
  packets(): number[];
  post(command: InterfaceCommand): void;
  /** Other ends of a port per thread, through which the changes of a script host come. */
  attach(): MessagePort[];
  /** CONTROL_* words of all threads. */
  readonly control: SharedArrayBuffer;
  /** Of a capture: pauses it, sets its speed. */
  regulate(change: CapturePace): void;
  /** Tells them to end. */
  stop(): void;
  /** Nothing is posted any more. */
  close(): void;
  terminate(): void;
}

export interface ThreadEvents {
  message(message: InterfaceMessage): void;
  /** A thread is gone without a word. */
  error(error: Error): void;
}

/**
 * Counters that are no sums. A visit is one of all threads, `visits.longest` is a maximum in each, and the last two are those of the
 * network interface, which each thread sees. (`flows.peak` is a sum: an upper bound, as the threads' peaks may be of different times.)
 */
const HIGHEST = new Set(['visits', 'visits.longest', 'interface.lost', 'drops.interface'].map(counterIndex));

/** Adds up totals of the same name. */
function addProtocols(lists: readonly (readonly ProtocolTotals[])[]): ProtocolTotals[] {
  const all = new Map<string, ProtocolTotals>();
  for (const { name, flows, packets, bytes } of lists.flat()) {
    const sum = all.get(name);
    all.set(name, {
      name,
      flows: flows + (sum?.flows ?? 0),
      packets: packets + (sum?.packets ?? 0),
      bytes: bytes + (sum?.bytes ?? 0),
    });
  }
  return [...all.values()];
}

interface Thread {
  readonly worker: Worker;
  readonly commands: MessagePort;
  readonly counters: Float64Array;
  readonly gauges: Float64Array;
  protocols: readonly ProtocolTotals[];
  running: boolean;
  over: boolean;
}

/** @param count more than one for live interfaces only */
export function startThreads(
  common: Omit<InterfaceData, 'counters' | 'gauges' | 'control' | 'port' | 'crew'>,
  count: number,
  on: ThreadEvents,
): InterfaceThreads {
  const control = new SharedArrayBuffer(CONTROL_WORDS * 4);
  const words = new Int32Array(control);
  words[CONTROL_SPEED] = Math.round(common.config.speed * SPEED_UNIT);
  const crew =
    count === 1
      ? undefined
      : {
          threads: count,
          group: randomInt(1, 0x10000), // process ids are not unique among containers that share a network
          gate: new SharedArrayBuffer(GATE_BYTES),
          tally: new SharedArrayBuffer(TALLY_BYTES),
        };
  /** Answers so far, by question. */
  const queries = new Map<number, ThreadAnswer[]>();
  let names: Names | undefined;
  let lost = false;
  let failure: InterfaceMessage | undefined;
  const bringsPackets = common.kind === 'packet' || common.kind === 'pcap';

  const startThread = (index: number): Thread => {
    const counters = new SharedArrayBuffer(COUNTERS.length * 8);
    const gauges = new SharedArrayBuffer(GAUGE_COUNT * 8);
    const { port1: port, port2: commands } = new MessageChannel();
    const data: InterfaceData = { ...common, counters, gauges, control, port, crew: crew && { ...crew, index } };
    const thread: Thread = {
      worker: new Worker(new URL(bringsPackets ? './worker.ts' : './records/worker.ts', import.meta.url), {
        workerData: data,
        transferList: [port],
      }),
      commands,
      counters: new Float64Array(counters),
      gauges: new Float64Array(gauges),
      protocols: [],
      running: false,
      over: false,
    };
    thread.worker.on('error', (error) => on.error(error as Error));
    thread.worker.on('message', (message: InterfaceMessage) => (count === 1 ? on.message(message) : join(thread, message)));
    return thread;
  };
  const threads = Array.from({ length: count }, (_, index) => startThread(index));

  const stop = (): void => {
    Atomics.store(words, CONTROL_STOP, 1);
    Atomics.notify(words, CONTROL_STOP);
  };

  /** Another thread's part of an answer. */
  const answered = (id: number, parts: readonly ThreadAnswer[]): void => {
    const answers = queries.get(id);
    if (answers === undefined || answers.push(...parts) < count) return;
    queries.delete(id);
    on.message({ type: 'answer', id, parts: answers });
  };

  const over = (thread: Thread): void => {
    thread.over = true;
    if (threads.every((each) => each.over)) on.message(failure ?? { type: 'ended' });
  };

  function join(thread: Thread, message: InterfaceMessage): void {
    switch (message.type) {
      case 'ready':
        if (names !== undefined) break;
        names = message.names;
        on.message(message);
        break;
      case 'running':
        thread.running = true;
        if (!threads.every((each) => each.running)) break;
        lost = false;
        on.message(message);
        break;
      case 'lost':
        thread.running = false;
        if (!lost) on.message(message);
        lost = true;
        break;
      case 'protocols':
        thread.protocols = message.protocols;
        on.message({ type: 'protocols', protocols: addProtocols(threads.map(({ protocols }) => protocols)) });
        break;
      case 'warning':
      case 'log':
      case 'probes':
        on.message(message);
        break;
      case 'answer':
        answered(message.id, message.parts);
        break;
      case 'query-failed':
        if (queries.delete(message.id)) on.message(message);
        break;
      case 'failed':
        failure ??= message;
        stop();
        over(thread);
        break;
      case 'ended':
        over(thread);
        break;
    }
  }

  return {
    counters() {
      const all = new Float64Array(COUNTERS.length);
      for (const { counters } of threads) {
        for (let i = 0; i < all.length; i++) {
          const [one, sum] = [counters[i] as number, all[i] as number];
          all[i] = HIGHEST.has(i) ? Math.max(one, sum) : one + sum;
        }
      }
      return all;
    },
    gauges() {
      const all = Float64Array.from(threads[0]?.gauges ?? []);
      for (const { gauges } of threads.slice(1)) {
        for (let i = 0; i < all.length; i++) all[i] = Math.max(all[i] as number, gauges[i] as number);
      }
      const began = threads.map(({ gauges }) => gauges[GAUGE_BEGAN] as number).filter((time) => time > 0);
      all[GAUGE_BEGAN] = began.length === 0 ? 0 : Math.min(...began);
      return all;
    },
    packets: () => threads.map(({ counters }) => counters[counterIndex('packets')] as number),
    post(command) {
      if (count > 1 && command.type === 'query') queries.set(command.id, []);
      if (command.type === 'forget') queries.delete(command.id);
      for (const { commands } of threads) commands.postMessage(command);
      Atomics.add(words, CONTROL_COMMANDS, 1);
      Atomics.notify(words, CONTROL_COMMANDS);
    },
    regulate({ paused, speed }) {
      if (paused !== undefined) Atomics.store(words, CONTROL_PAUSED, paused ? 1 : 0);
      if (speed !== undefined) Atomics.store(words, CONTROL_SPEED, Math.round(speed * SPEED_UNIT));
      Atomics.notify(words, CONTROL_COMMANDS); // whoever waits looks again
    },
    attach() {
      const ports = threads.map(({ commands }) => {
        const { port1, port2 } = new MessageChannel();
        commands.postMessage({ type: 'changes', port: port1 } satisfies InterfaceCommand, [port1]);
        return port2;
      });
      Atomics.add(words, CONTROL_COMMANDS, 1);
      return ports;
    },
    control,
    stop,
    close() {
      for (const { commands } of threads) commands.close();
    },
    terminate() {
      for (const { worker } of threads) void worker.terminate();
    },
  };
}
