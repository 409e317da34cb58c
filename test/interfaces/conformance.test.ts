/**
 * One conversation is one flow, whatever brings it: the same fields, callbacks and statuses on every kind of interface, within what each
 * carries. What a kind cannot tell is declared here and in src/interfaces/records/capabilities.ts.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DECODE_COUNTERS_START } from '../../src/flows/counters.ts';
import { STATUSES, statusById } from '../../src/flows/statuses.ts';
import { notApplicable } from '../../src/interfaces/records/capabilities.ts';
import { createBatch, createScratch } from '../../src/packet/batch.ts';
import { createDecoder, DEFAULT_DECODE_OPTIONS } from '../../src/packet/decode.ts';
import { NETFLOW_COUNTERS } from '../../src/records/netflow/counters.ts';
import { createNetflowDecoder } from '../../src/records/netflow/decoder.ts';
import { SFLOW_COUNTERS } from '../../src/records/sflow/counters.ts';
import { createSflowDecoder } from '../../src/records/sflow/decoder.ts';
import { createSamplePackets } from '../../src/records/sflow/packets.ts';
import { ZMQ_COUNTERS } from '../../src/records/zmq/counters.ts';
import { createZmqDecoder } from '../../src/records/zmq/decoder.ts';
import {
  CONVERSATIONS,
  type Conversation,
  frames,
  ipfixBiflow,
  netflow5,
  netflow9,
  totals,
  zmqJson,
  zmqTlv,
} from '../support/records/conversation.ts';
import { createRecordPlay, type RecordPlay, START_S } from '../support/records/play.ts';
import { flowSample, rawHeader, sflow } from '../support/records/sflow.ts';

/** When the conversations take place, and when an exporter tells of them: seconds after the start. */
const BEGIN = 6;
const TOLD = 10;

interface Kind {
  readonly name: string;
  /** What it carries beside the five-tuple, counters, times and flags. */
  readonly macs: boolean;
  readonly vlans: boolean;
  readonly ipv6: boolean;
  /** Every packet, one by one. */
  readonly packets: boolean;
  /** Lengths and payload of packets. */
  readonly lengths: boolean;
  open(): RecordPlay;
  bring(play: RecordPlay, all: readonly Conversation[]): void;
}

/** Messages of a probe or exporter, all at once. */
const throughZmq =
  (make: typeof zmqJson) =>
  (play: RecordPlay, all: readonly Conversation[]): void => {
    play.to(TOLD);
    const decoder = createZmqDecoder({
      sink: { record: play.engine.take, event() {} },
      counters: new Float64Array(ZMQ_COUNTERS.length),
      now: () => play.engine.clock(),
    });
    decoder.message('tcp://probe:5556', ...make(all, BEGIN, 1));
  };

const throughNetflow =
  (make: (all: readonly Conversation[], start: number, sent: number, sequence: number) => Buffer) =>
  (play: RecordPlay, all: readonly Conversation[]): void => {
    play.to(TOLD);
    const decoder = createNetflowDecoder({
      sink: { record: play.engine.take, event() {} },
      counters: new Float64Array(NETFLOW_COUNTERS.length),
    });
    decoder.datagram('203.0.113.1', 40_000, make(all, BEGIN, TOLD, 1), play.engine.clock());
  };

const records = { macs: true, vlans: true, ipv6: true, packets: false, lengths: false };
const KINDS: readonly Kind[] = [
  {
    ...records,
    name: 'packets',
    packets: true,
    lengths: true,
    open: () => createRecordPlay({ brings: 'packets' }),
    bring(play, all) {
      const decoder = createDecoder(DEFAULT_DECODE_OPTIONS, play.counters.subarray(DECODE_COUNTERS_START), 1);
      const batch = createBatch(1);
      const scratch = createScratch();
      const sent = all.flatMap((of) => frames(of, BEGIN)).toSorted((a, b) => a.at - b.at);
      for (const { at, bytes } of sent) {
        play.to(Math.floor(at));
        batch.bytes.set(bytes);
        batch.frames.set([0, bytes.length, bytes.length]);
        batch.times[0] = Math.round((START_S + at) * 1e6);
        batch.count = 1;
        decoder.decode(batch, 0, scratch);
        play.engine.process(scratch, batch.bytes);
      }
    },
  },
  { ...records, name: 'ZMQ, JSON', open: () => createRecordPlay(), bring: throughZmq(zmqJson) },
  { ...records, name: 'ZMQ, TLV', open: () => createRecordPlay(), bring: throughZmq(zmqTlv) },
  {
    ...records,
    name: 'sFlow, of every packet',
    lengths: true,
    open: () => createRecordPlay({ brings: 'samples' }),
    bring(play, all) {
      const { decode } = createDecoder(DEFAULT_DECODE_OPTIONS, play.counters.subarray(DECODE_COUNTERS_START), 1);
      const packets = createSamplePackets(play.engine, decode);
      const decoder = createSflowDecoder(packets, new Float64Array(SFLOW_COUNTERS.length));
      const sent = all.flatMap((of) => frames(of, BEGIN)).toSorted((a, b) => a.at - b.at);
      for (const [i, { at, bytes }] of sent.entries()) {
        play.to(Math.floor(at));
        const time = Math.round((START_S + at) * 1e6);
        packets.at(time);
        decoder.datagram('192.0.2.1', sflow({ sequence: i + 1 }, [flowSample({ sequence: i + 1 }, [rawHeader(bytes)])]), time);
      }
    },
  },
  { ...records, name: 'NetFlow v9', open: () => createRecordPlay({ oneWay: true }), bring: throughNetflow(netflow9) },
  {
    ...records,
    name: 'NetFlow v9, the answers first',
    open: () => createRecordPlay({ oneWay: true }),
    bring: throughNetflow((all, start, sent, sequence) => netflow9(all, start, sent, sequence, true)),
  },
  { ...records, name: 'IPFIX', open: () => createRecordPlay({ oneWay: true }), bring: throughNetflow(ipfixBiflow) },
  {
    ...records,
    name: 'NetFlow v5',
    macs: false,
    vlans: false,
    ipv6: false,
    open: () => createRecordPlay({ oneWay: true }),
    bring: throughNetflow(netflow5),
  },
];

const carried = (kind: Kind): Conversation[] => CONVERSATIONS.filter(({ client }) => kind.ipv6 || !client.includes(':'));

/** The last event of each flow, by its client. */
function flowsOf(kind: Kind): Map<string, ReturnType<typeof fieldsOf>> {
  const play = kind.open();
  kind.bring(play, carried(kind));
  play.to(300);
  const ends = play.events.filter(({ callbacks }) => callbacks.includes('idle'));
  const flows = new Map(ends.map((event) => [String(event.field('cli.ip')), fieldsOf(event.field)]));
  assert.equal(ends.length, flows.size, 'no flow came twice');
  play.close();
  return flows;
}

const fieldsOf =
  (field: (key: string) => unknown) =>
  (...keys: readonly string[]): unknown[] =>
    keys.map((key) => field(key));

for (const kind of KINDS) {
  describe(kind.name, () => {
    const flows = flowsOf(kind);

    test('one flow for each conversation', () => assert.equal(flows.size, carried(kind).length));

    for (const of of carried(kind)) {
      describe(of.name, () => {
        const { client, server, first, last } = totals(of, BEGIN);
        const get = flows.get(of.client) ?? assert.fail(`no flow of ${of.client}`);

        test('its ends', () => {
          assert.deepEqual(get('cli.ip', 'srv.ip', 'cli.port', 'srv.port', 'proto.l4_id'), [
            of.client,
            of.server,
            of.clientPort,
            of.serverPort,
            of.protocol,
          ]);
          assert.deepEqual(get('vlan'), [kind.vlans ? (of.vlan ?? 0) : 0]);
          const macs = ['02:00:00:00:00:0A', '02:00:00:00:00:0B'];
          if (kind.macs) assert.deepEqual(get('cli.mac', 'srv.mac'), macs);
          else assert.deepEqual(get('cli.mac', 'srv.mac'), ['00:00:00:00:00:00', '00:00:00:00:00:00']);
          assert.deepEqual(get('cli.localhost', 'srv.localhost', 'cli.broadmulticast'), [true, !of.server.startsWith('2001'), false]);
        });

        test('its counters', () =>
          assert.deepEqual(get('cli2srv.packets', 'srv2cli.packets', 'cli2srv.bytes', 'srv2cli.bytes', 'bytes'), [
            client.packets,
            server.packets,
            client.bytes,
            server.bytes,
            client.bytes + server.bytes,
          ]));

        test('its times', () =>
          assert.deepEqual(get('seen.first', 'seen.last', 'duration'), [
            Math.floor(START_S + first),
            Math.floor(START_S + last),
            Math.floor(last) - Math.floor(first),
          ]));

        test('its TCP flags and state', () => {
          if (of.protocol !== 6) assert.deepEqual(get('cli2srv.tcp_flags', 'tcp_closed'), [undefined, undefined]);
          else {
            assert.deepEqual(get('cli2srv.tcp_flags', 'srv2cli.tcp_flags'), [client.flags, server.flags]);
            assert.deepEqual(get('tcp_closed', 'tcp_connecting'), [server.packets > 0, server.packets === 0]);
            assert.deepEqual(get('tcp.seq_problems'), [false]);
          }
        });

        test('its protocol', () => assert.deepEqual(get('proto.ndpi'), [of.ndpi]));

        test('ICMP', () => {
          // of the last message, or of the record that came last
          if (of.protocol === 1) assert.deepEqual(get('icmp'), [{ type: kind.name.includes('answers first') ? 8 : 0, code: 0 }]);
          else assert.deepEqual(get('icmp'), [undefined]);
        });

        test('what needs packets is empty without them', () => {
          const [goodput, min] = get('goodput_bytes', 'cli2srv.pkt_len.min');
          const [interarrival] = get('interarrival.cli2srv');
          if (kind.lengths) assert.ok((min as number) > 0);
          else assert.deepEqual([goodput, min], [0, 0]);
          assert.equal(interarrival !== undefined, kind.packets);
        });
      });
    }

    test('callbacks: protocolDetected once and first, idle once and last', () => {
      const play = kind.open();
      kind.bring(play, carried(kind));
      play.to(300);
      for (const of of carried(kind)) {
        const called = play.events.filter((event) => event.field('cli.ip') === of.client).flatMap(({ callbacks }) => callbacks);
        const plain = called.filter((name) => name !== 'statusChanged');
        assert.deepEqual(plain, ['protocolDetected', 'idle'], of.name);
      }
      play.close();
    });

    test('statuses: those that need packets are told, or not applicable', () => {
      const play = kind.open();
      kind.bring(play, carried(kind));
      play.to(300);
      const probed = play.events.findLast((event) => event.field('cli.ip') === '10.0.0.5');
      const bit = 1 << 5; // status_suspicious_tcp_syn_probing
      assert.equal(((probed?.field('status_map') as number) & bit) !== 0, kind.packets);
      const without = notApplicable(play.names).map(({ id }) => id);
      assert.equal(without.includes(5), !kind.packets);
      for (const { id } of notApplicable(play.names)) assert.equal(statusById.get(id)?.packetsOnly, true);
      if (!kind.packets) assert.equal(without.length, STATUSES.filter(({ packetsOnly }) => packetsOnly === true).length);
      play.close();
    });
  });
}
