/**
 * The thread of an interface that brings flow records or samples by sockets: source → flow engine → ring of lifecycle events. Unlike the
 * thread of packets it turns an event loop; visits, commands and figures come between messages. Started by threads.ts with InterfaceData.
 *
 *   socket ──message──► arrived: due visits, a slice of each ──► decoder ──► engine
 *   timer ──► commands, visits, figures, what the probes say
 */
import { workerData } from 'node:worker_threads';
import type { RecordSink } from '../../records/flow-record.ts';
import { createSteadyClock } from '../live/clock.ts';
import type { InterfaceData } from '../protocol.ts';
import { createThread, fail, say } from '../thread.ts';
import { openNetflow } from './netflow.ts';
import { openSflow } from './sflow.ts';
import type { OpenSource } from './source.ts';
import { createTimeouts, type Timeouts } from './timeouts.ts';
import { openZmq } from './zmq.ts';

/** Between two looks at commands and clock when nothing comes, ms. */
const TURN_MS = 20;
/** Between two looks at the clock when messages come, µs. */
const TEND_US = 1000;
/** A message that takes so long is interrupted, µs; looked at after so many records. */
const LONG_MESSAGE_US = 10_000;
const LOOK_AGAIN = 127;
const TICK_US = 1_000_000;
const REPORT_US = 250_000;
/** How often what came beside flows is told, µs. */
const COLLECTED_US = 5_000_000;
/** A clock that is off by more is worth a word, µs. */
const DRIFT_US = 10_000_000;

interface Kind {
  readonly open: OpenSource;
  /** Flow records; else samples of packets. */
  readonly records?: { readonly oneWay: boolean };
}

const KINDS: Readonly<Record<string, Kind>> = {
  zmq: { open: openZmq, records: { oneWay: false } },
  netflow: { open: openNetflow, records: { oneWay: true } },
  sflow: { open: openSflow },
};

async function main(data: InterfaceData): Promise<void> {
  const { config } = data;
  const clock = createSteadyClock();
  const { open, records } = KINDS[data.kind] as Kind;
  const thread = createThread(data, {
    live: true,
    packetInterface: records === undefined,
    sampled: records === undefined,
    ...(records === undefined ? {} : { records }),
  });
  const { engine } = thread;
  const log = {
    info: (text: string): void => say({ type: 'log', level: 'info', text }),
    warn: (text: string): void => say({ type: 'log', level: 'warn', text }),
  };

  // what exporters say nothing of is set by options; a probe says it in each of its events
  const isNetflow = data.kind === 'netflow';
  const timeouts = createTimeouts(isNetflow ? { active: config.activeTimeout, idle: config.idleTimeout } : undefined);
  let inForce: Timeouts = { active: undefined, idle: undefined };
  const adopt = (now: number): void => {
    if (records === undefined) return;
    const { active, idle } = timeouts.current(now);
    if (active === inForce.active && idle === inForce.idle) return;
    inForce = { active, idle };
    engine.timeouts(active, idle);
    if (active !== undefined) log.info(`time-outs of what exports: active ${active} s${idle === undefined ? '' : `, idle ${idle} s`}`);
  };

  let now = clock.now();
  let tended = 0;
  let slicing = false;
  /** Goes on with visits; what is left of one comes when the messages that wait have been read. */
  const visit = (): void => {
    if (!thread.visit(now) || slicing) return;
    slicing = true;
    setImmediate(() => {
      slicing = false;
      if (!ended) visit();
    });
  };
  let taken = 0;
  const sink: RecordSink = {
    record(record) {
      engine.take(record);
      if ((++taken & LOOK_AGAIN) === 0) between();
    },
    event(event) {
      timeouts.said(event, now);
      adopt(now);
    },
  };
  /** In the middle of a message of many records: what is due does not wait for its end. */
  const between = (): void => {
    const time = clock.now();
    if (time - tended < LONG_MESSAGE_US) return;
    now = time;
    tended = time;
    thread.obey(false);
    visit();
  };
  let ended = false;
  engine.advance(now, 0);
  adopt(now);
  const source = await open({
    name: data.name,
    config,
    thread,
    sink,
    log,
    arrived() {
      now = clock.now();
      if (now - tended >= TEND_US) {
        tended = now;
        visit();
      }
      return now;
    },
  });
  say({ type: 'running' });

  const silent = new Set<string>();
  const drifted = new Set<string>();
  let collectedAt = 0;
  const tellProbes = (last = false): void => {
    const probes = source.probes();
    for (const { source: name, silentSince, drift = 0 } of probes) {
      if (Math.abs(drift) < DRIFT_US) drifted.delete(name);
      else if (!drifted.has(name)) {
        drifted.add(name);
        log.warn(`the clock of ${name} is ${(-drift / 1e6).toFixed(0)} s off ours: its times are taken as they are`);
      }
      if (silentSince === undefined) {
        if (silent.delete(name)) log.info(`${name} is heard of again`);
      } else if (!silent.has(name)) {
        silent.add(name);
        log.warn(`nothing came from ${name} since ${new Date(silentSince / 1000).toISOString()}`);
      }
    }
    if (!last && now - collectedAt < COLLECTED_US) {
      say({ type: 'probes', probes, timeouts: inForce });
      return;
    }
    collectedAt = now;
    const collected = { rejected: [], interfaces: [], exporters: [], probes: [], listening: [], ...source.collected() };
    say({ type: 'probes', probes, timeouts: inForce, collected });
  };

  const { promise: stopped, resolve: stop, reject } = Promise.withResolvers<void>();
  let ticked = 0;
  let reported = 0;
  const turn = (): void => {
    try {
      now = clock.now();
      tended = now;
      thread.obey(true);
      visit();
      if (now - ticked >= TICK_US) {
        ticked = now;
        source.tick(now);
        adopt(now);
        tellProbes();
      }
      if (now - reported >= REPORT_US) {
        reported = now;
        thread.report();
      }
      if (thread.stopped()) stop();
    } catch (error) {
      reject(error);
    }
  };
  const turning = setInterval(turn, TURN_MS);
  process.on('uncaughtException', reject); // of a socket's callback
  try {
    await stopped;
  } finally {
    ended = true;
    clearInterval(turning);
    await source.close();
  }
  tellProbes(true);
  thread.report();
  thread.end('shutdown');
}

main(workerData as InterfaceData).catch((error: Error) => fail(workerData as InterfaceData, error));
