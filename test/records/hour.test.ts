/**
 * An hour of three probes on one ZMQ interface, on a clock that the test moves: partial records of long flows, short flows, a probe that
 * begins anew, time-outs that change, messages that get lost. Every callback comes at the second that a small model of the rules says,
 * and everything that got lost is in the counters.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTimeouts } from '../../src/interfaces/records/timeouts.ts';
import { ZMQ_COUNTERS, type ZmqCounterName, zmqCounter } from '../../src/records/zmq/counters.ts';
import { createZmqDecoder } from '../../src/records/zmq/decoder.ts';
import { createRecordPlay, START_S } from '../support/records/play.ts';
import { header, json } from './zmq/encode.ts';

const HOUR = 3600;
const LATER = 4500; // all flows have ended by then

interface Probe {
  readonly id: number;
  active: number;
  idle: number;
  /** When its first event comes. */
  readonly from: number;
  /** Messages sent, and their number on the wire. */
  sequence: number;
  sent: number;
}

/** What the rules say (lifecycle.md 4, 5.1, 6.1 and design.md), in seconds. */
function createModel() {
  interface Flow {
    arrived: number;
    first: number;
    last: number;
    closing: boolean;
    reported: boolean;
    periodic: number;
  }
  const flows = new Map<number, Flow>();
  const events: string[] = [];
  let period = 5;
  let active: number | undefined;
  let clock = 0;
  let next = 5;
  const gridAfter = (time: number): number => {
    const absolute = START_S + time;
    return (Math.floor(absolute / period) + 1) * period - START_S;
  };
  const visit = (at: number): void => {
    const idleness = active ?? 60;
    for (const [port, flow] of flows) {
      const called: string[] = [];
      if (!flow.reported) called.push('protocolDetected');
      flow.reported = true;
      const limit = flow.closing ? 15 : active === undefined ? 60 : active + 10;
      if (at - flow.arrived > limit) {
        called.push('idle');
        flows.delete(port);
      } else if (flow.last - flow.first >= 5 * idleness && (flow.periodic < 0 || at >= flow.periodic + 5 * idleness)) {
        called.push('periodicUpdate');
        flow.periodic = at;
      }
      if (called.length > 0) events.push(`${at} ${port} ${called.join(' ')}`);
    }
  };
  return {
    events,
    tick(second: number) {
      clock = second;
      if (clock < next) return;
      visit(next);
      next = gridAfter(clock);
    },
    timeouts(of: { active: number | undefined; idle: number | undefined }) {
      active = of.active;
      period = Math.max(5, of.active ?? 0, of.idle ?? 0);
      next = gridAfter(clock);
    },
    record(port: number, first: number, last: number, bytes: number, closing: boolean) {
      const flow = flows.get(port) ?? { arrived: clock, first, last, closing: false, reported: false, periodic: -1 };
      flows.set(port, flow);
      flow.closing ||= closing;
      flow.first = Math.min(flow.first, first);
      if (bytes === 0) return;
      flow.arrived = clock;
      flow.last = Math.max(flow.last, last);
    },
  };
}

test('callbacks come when the rules say, and every loss is counted', () => {
  const counters = new Float64Array(ZMQ_COUNTERS.length);
  const count = (name: ZmqCounterName): number => counters[zmqCounter(name)] as number;
  const model = createModel();
  const play = createRecordPlay({ tick: (second) => second > 0 && model.tick(second) });
  const { engine } = play;
  const timeouts = createTimeouts();
  let inForce = timeouts.current(0);
  const decoder = createZmqDecoder({
    counters,
    now: () => engine.clock(),
    sink: {
      record: engine.take,
      event(event) {
        timeouts.said(event, engine.clock());
        const current = timeouts.current(engine.clock());
        if (current.active === inForce.active && current.idle === inForce.idle) return;
        inForce = current;
        engine.timeouts(current.active, current.idle);
        model.timeouts(current);
      },
    },
  });

  const probes: Probe[] = [
    { id: 1, active: 60, idle: 15, from: 20, sequence: 0, sent: 0 },
    { id: 2, active: 120, idle: 30, from: 120, sequence: 0, sent: 0 },
    { id: 3, active: 30, idle: 60, from: 60, sequence: 0, sent: 0 },
  ];
  /** Every so many messages of a probe one gets lost, each time as many as the probe's id. */
  const isLost = ({ id, sent }: Probe): boolean => sent % 97 >= 97 - id && sent > 50;
  let lost = 0;
  let records = 0;
  let recordsLost = 0;

  const send = (probe: Probe, topic: string, payload: object, told: () => void = () => {}): void => {
    probe.sent++;
    probe.sequence++;
    if (isLost(probe)) {
      lost++;
      if (topic === 'flow') recordsLost++;
      return;
    }
    told();
    decoder.message('tcp://probes:5556', header(36, { topic, id: probe.sequence, source: probe.id }), json(payload));
  };
  const sendRecord = (probe: Probe, port: number, first: number, last: number, bytes: number, closing: boolean): void => {
    const flags = closing ? 0x1b : 0x1a;
    const members = {
      8: `10.0.${probe.id}.1`,
      12: `10.0.${probe.id}.2`,
      7: port,
      11: 22,
      4: 6,
      1: bytes,
      2: bytes === 0 ? 0 : 3,
      23: 0,
      24: 0,
    };
    send(probe, 'flow', { ...members, 22: START_S + first, 21: START_S + last, 57550: flags, 57551: flags, 57590: 92 }, () => {
      records++;
      model.record(port, first, last, bytes, closing);
    });
  };

  for (let second = 1; second <= HOUR; second++) {
    play.to(second);
    if (second === 1200) {
      const restarting = probes[1] as Probe;
      restarting.sequence = 0;
      restarting.sent = 0;
    }
    if (second === 1800) (probes[1] as Probe).active = 300;
    if (second === 2700) (probes[1] as Probe).active = 20;
    for (const probe of probes) {
      if (second < probe.from) continue;
      if ((second - probe.from) % 5 === 0) {
        send(probe, 'event', {
          time: START_S + second,
          timeout: { lifetime: probe.active, idle: probe.idle },
          bytes: second,
          packets: second,
        });
      }
      // a flow that lasts, exported once in an active time-out, its last packet some time ago
      if ((second + probe.id) % probe.active === 0) {
        sendRecord(
          probe,
          60_000 + probe.id,
          Math.max(0, second - probe.active),
          second - (second % probe.idle),
          second % 4 === 0 ? 0 : 1000,
          false,
        );
      }
      // flows of one record, told after the idle time-out
      if (second % 37 === probe.id)
        sendRecord(probe, 10_000 + probe.id * 5000 + second, second - probe.idle - 3, second - probe.idle, 500, second % 2 === 0);
    }
  }
  play.to(LATER);

  const seen = play.events.map(({ at, callbacks, field }) => `${at} ${field('cli.port')} ${callbacks.join(' ')}`);
  assert.deepEqual(seen.toSorted(), model.events.toSorted());
  const calls = (name: string): number => play.counter(`callbacks.${name}`);
  assert.ok(calls('protocolDetected') > 250 && calls('idle') === calls('protocolDetected') && calls('periodicUpdate') > 5);

  assert.ok(lost > 20 && recordsLost > 3, 'something was lost');
  assert.equal(count('zmq.sequence.lost'), lost);
  assert.equal(count('zmq.sequence.restarts'), 1);
  assert.equal(count('zmq.records'), records);
  assert.equal(play.counter('records'), records);
  assert.equal(play.counter('flows.created'), play.counter('flows.ended'));
  const state = decoder.probes().map(({ id, event, restarts }) => [id, event?.activeTimeout, event?.idleTimeout, restarts]);
  assert.deepEqual(state.toSorted(), [
    [1, 60, 15, 0],
    [2, 20, 30, 1],
    [3, 30, 60, 0],
  ]);
  assert.ok(decoder.probes().every(({ silentSince }) => silentSince !== undefined));
  assert.equal(play.counter('visits.late'), 0);
  play.close();
});
