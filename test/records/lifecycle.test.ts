/** The lifecycle of flows that come as records: visits, callbacks, idleness and throughput on a clock that the test moves. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { E_RECORD } from '../../src/flows/event.ts';
import { R_BPS0 } from '../../src/flows/record.ts';
import { createRecordPlay, type RecordPlay, type RecordPlayOptions, type RecordText } from '../support/records/play.ts';

const FLOW = '10.0.0.1:50000 > 10.0.0.2:443';
/** One part of a flow that lasts, exported at its `last`. */
const part = (first: number, last: number, more: Partial<RecordText> = {}): RecordText => ({
  from: '10.0.0.1',
  to: '10.0.0.2',
  srcPort: 50_000,
  dstPort: 443,
  srcTcpFlags: 0x1a,
  dstTcpFlags: 0x1a,
  inPackets: 10,
  inBytes: 1200,
  outPackets: 10,
  outBytes: 2400,
  first,
  last,
  ...more,
});

const withPlay = (check: (play: RecordPlay) => void, options?: RecordPlayOptions): void => {
  const play = createRecordPlay(options);
  check(play);
  play.close();
};

describe('before a probe has said its time-outs', () => {
  test('visits come every 5 s, a flow ends after 60 s, periodicUpdate comes from 300 s on', () =>
    withPlay((play) => {
      for (let at = 1; at <= 601; at += 50) {
        play.to(at);
        play.take(part(at - 1, at));
      }
      play.to(800);
      assert.deepEqual(play.lines(), [
        `5 protocolDetected ${FLOW}`,
        `305 periodicUpdate ${FLOW}`,
        `605 periodicUpdate ${FLOW}`,
        `665 idle ${FLOW}`,
      ]);
    }));
  test('the preferences change that', () =>
    withPlay(
      (play) => {
        play.take(part(0, 0));
        play.to(100);
        assert.deepEqual(play.lines(), [`10 protocolDetected ${FLOW}`, `30 idle ${FLOW}`]);
      },
      { preferences: { housekeeping_frequency: 10, flow_max_idle: 20 } },
    ));
});

describe('with the time-outs of a probe (-t 120 -d 30)', () => {
  const probe = (check: (play: RecordPlay) => void, options?: RecordPlayOptions): void =>
    withPlay((play) => {
      play.engine.timeouts(120, 30);
      check(play);
    }, options);

  test('visits come every 120 s; a flow outlives the active time-out by 10 s of silence', () =>
    probe((play) => {
      play.take(part(0, 0));
      play.to(119);
      assert.deepEqual(play.lines(), []);
      play.to(1000);
      assert.deepEqual(play.lines(), [`120 protocolDetected ${FLOW}`, `240 idle ${FLOW}`]);
    }));

  test('a record every 120 s finds its flow, also where the last packet was long before it', () =>
    probe((play) => {
      for (let at = 7; at <= 3607; at += 120) {
        play.to(at);
        play.take(part(at - 120, at - 29));
      }
      play.to(3607);
      assert.equal(play.counter('flows.created'), 1);
    }));

  test('silence is measured from the arrival of the last record, strictly', () =>
    probe((play) => {
      play.to(109);
      play.take(part(80, 85));
      play.to(110);
      play.take(part(80, 80, { srcPort: 50_001 }));
      play.to(360);
      assert.deepEqual(play.lines(), [
        `120 protocolDetected ${FLOW}`,
        '120 protocolDetected 10.0.0.1:50001 > 10.0.0.2:443',
        `240 idle ${FLOW}`,
        '360 idle 10.0.0.1:50001 > 10.0.0.2:443',
      ]);
    }));

  test('a record without bytes keeps no flow alive', () =>
    probe((play) => {
      play.take(part(0, 0));
      play.to(100);
      play.take(part(90, 100, { inBytes: 0, outBytes: 0 }));
      play.to(240);
      assert.deepEqual(play.lines().at(-1), `240 idle ${FLOW}`);
    }));

  test('an exporter whose clock is an hour slow does not end its flows', () =>
    probe((play) => {
      for (let at = 100; at <= 1000; at += 100) {
        play.to(at);
        play.take(part(at - 3700, at - 3600));
      }
      assert.equal(play.counter('flows.created'), 1);
    }));

  test('periodicUpdate comes after 5 × 120 s of traffic, then every 5 × 120 s', () =>
    probe((play) => {
      for (let at = 60; at <= 2400; at += 60) {
        play.to(at);
        play.take(part(at - 60, at));
      }
      play.to(2400);
      assert.deepEqual(play.lines(), [
        `120 protocolDetected ${FLOW}`,
        `720 periodicUpdate ${FLOW}`,
        `1320 periodicUpdate ${FLOW}`,
        `1920 periodicUpdate ${FLOW}`,
      ]);
    }));

  test('after FIN or RST 15 s of silence are enough; an incomplete handshake means nothing', () =>
    probe((play) => {
      play.engine.timeouts(15, 5);
      play.take(part(0, 0, { srcTcpFlags: 0x1b }));
      play.take(part(0, 0, { srcPort: 50_001, dstTcpFlags: 4 }));
      play.take(part(0, 0, { srcPort: 50_002, srcTcpFlags: 2, dstTcpFlags: 0 }));
      play.to(60);
      assert.deepEqual(
        play.lines().filter((line) => line.includes('idle')),
        [`30 idle ${FLOW}`, '30 idle 10.0.0.1:50001 > 10.0.0.2:443', '30 idle 10.0.0.1:50002 > 10.0.0.2:443'],
      );
      play.engine.timeouts(120, 5);
      play.take(part(60, 60, { srcTcpFlags: 0x1b }));
      play.take(part(60, 60, { srcPort: 50_002, srcTcpFlags: 2, dstTcpFlags: 0 }));
      play.to(240);
      assert.deepEqual(
        play.lines().filter((line) => line.includes('idle')),
        [`120 protocolDetected idle ${FLOW}`, '240 idle 10.0.0.1:50002 > 10.0.0.2:443'],
      );
    }));

  test('statusChanged comes at the visit that sees it', () =>
    probe((play) => {
      play.take(part(0, 0));
      play.to(130);
      play.take(part(100, 130, { inPackets: 20, srcRetransmitted: 8 }));
      play.to(250);
      play.take(part(200, 250, { inPackets: 500 }));
      play.to(360);
      assert.deepEqual(play.lines(), [`120 protocolDetected ${FLOW}`, `240 statusChanged ${FLOW}`, `360 statusChanged ${FLOW}`]);
    }));

  test('statuses that need packets are never set', () =>
    probe((play) => {
      // SYN probing, silent server, low goodput, refused
      play.take(part(0, 0, { srcTcpFlags: 2, dstTcpFlags: 0, outPackets: 0, outBytes: 0 }));
      play.take(part(0, 0, { srcPort: 50_001, last: 100, dstTcpFlags: 0x14 }));
      play.to(600);
      assert.deepEqual(
        play.events.map((event) => event.field('status_map')),
        play.events.map(() => 0),
      );
    }));

  test('a later event changes everything at once, and the same values change nothing', () =>
    probe((play) => {
      play.take(part(0, 0));
      play.to(50);
      play.engine.timeouts(30, 10);
      play.to(59);
      assert.deepEqual(play.lines(), []);
      play.to(60);
      assert.deepEqual(play.lines(), [`60 protocolDetected idle ${FLOW}`]);
      play.take(part(60, 60));
      play.to(61);
      play.engine.timeouts(300, 10);
      play.to(600);
      assert.deepEqual(play.lines(), [`300 protocolDetected ${FLOW}`, `600 idle ${FLOW}`]);
      assert.equal(play.counter('visits.late'), 0);
      assert.equal(play.counter('visits'), 3);
    }));

  test('the preference is the shortest period', () =>
    probe(
      (play) => {
        play.engine.timeouts(10, 5);
        play.take(part(0, 0));
        play.to(60);
        assert.deepEqual(play.lines(), [`60 protocolDetected idle ${FLOW}`]);
      },
      { preferences: { housekeeping_frequency: 60 } },
    ));

  test('without time-outs again the preferences hold', () =>
    probe((play) => {
      play.take(part(0, 0));
      play.to(1);
      play.engine.timeouts(undefined, undefined);
      play.to(100);
      assert.deepEqual(play.lines(), [`5 protocolDetected ${FLOW}`, `65 idle ${FLOW}`]);
    }));
});

describe('throughput', () => {
  const rates = (play: RecordPlay): unknown[] =>
    play.events.map(({ at, field }) => [
      at,
      field('throughput_cli2srv_bps'),
      field('throughput_srv2cli_bps'),
      field('throughput_trend_bps'),
    ]);

  test('is measured from the first packet, then from visit to visit; silence keeps it', () =>
    withPlay((play) => {
      play.engine.timeouts(60, 10);
      play.to(50);
      play.take(part(0, 48));
      play.to(100);
      play.take(part(48, 90, { inBytes: 600, outBytes: 0 }));
      play.to(290);
      assert.deepEqual(rates(play), [
        [60, 20, 40, 2],
        [180, 10, 0, 2],
      ]);
    }));

  test('before the first visit it is what the record says of its own time', () =>
    withPlay((play) => {
      play.engine.timeouts(60, 10);
      play.to(30);
      play.take(part(0, 24));
      const look = play.engine.look();
      assert.ok(look.at(1));
      assert.equal(look.view.f32(R_BPS0), 50);
      assert.equal(new DataView(look.event.buffer, 0, look.copy()).getFloat32(E_RECORD + R_BPS0, true), 50);
    }));

  test('`*.last` is what came since the previous visit', () =>
    withPlay((play) => {
      play.engine.timeouts(60, 10);
      play.take(part(0, 0));
      play.to(70);
      play.take(part(50, 60, { inBytes: 77, inPackets: 3, srcTcpFlags: 0x11 }));
      play.to(120);
      assert.deepEqual(
        play.events.map(({ field }) => [field('cli2srv.last'), field('packets.last'), field('bytes')]),
        [
          [1200, 20, 3600],
          [77, 13, 6077],
        ],
      );
    }));
});

test('a full table ends the longest silent flows, with their callbacks, and loses none', () =>
  withPlay(
    (play) => {
      for (let i = 0; i < 100; i++) {
        play.to(i);
        play.take(part(0, i, { srcPort: 50_000 + i }));
      }
      play.engine.finish('shutdown');
      const ends = play.events.filter(({ callbacks }) => callbacks.includes('idle'));
      assert.equal(ends.length, 100);
      assert.ok(play.counter('flows.evicted') >= 84);
      assert.equal(play.counter('flows.ended'), 100);
    },
    { maxFlows: 16, preferences: { flow_max_idle: 3600 } },
  ));
