/**
 * TCP sequence analysis, rule by rule: segments in, counters out. The rules are Wireshark's (src/flows/tcp.ts); the corpus test
 * holds them against tshark on real captures.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACK, ethernet, FIN, ipv4, RST, SYN, tcp } from '../support/packets.ts';
import { play, type TimedFrame } from '../support/play.ts';

interface Segment {
  readonly seq?: number;
  readonly ack?: number;
  readonly flags?: number;
  readonly bytes?: number;
  readonly window?: number;
}

const segment = (at: number, ends: readonly [string, string, number, number], { bytes, ...header }: Segment): TimedFrame => {
  const [source, target, from, to] = ends;
  return { at, bytes: ethernet({}, ipv4({ from: source, to: target }, tcp({ from, to, ...header }, new Uint8Array(bytes ?? 0)))) };
};
/** From the client. Times are in ms; the first number of its data is 101. */
const c = (ms: number, what: Segment): TimedFrame => segment(1 + ms / 1000, ['10.0.0.1', '10.0.0.2', 40000, 443], { ack: 501, ...what });
/** From the server, whose data begins at 501. */
const s = (ms: number, what: Segment): TimedFrame =>
  segment(1 + ms / 1000, ['10.0.0.2', '10.0.0.1', 443, 40000], { seq: 501, ack: 101, ...what });

/** Its round-trip time is 20 ms. */
const handshake = [c(0, { seq: 100, ack: 0, flags: SYN }), s(10, { seq: 500, ack: 101, flags: SYN | ACK }), c(20, { seq: 101, ack: 501 })];

interface Problems {
  readonly retransmitted?: number;
  readonly outOfOrder?: number;
  readonly lost?: number;
  readonly keepAlive?: number;
}
const list = (of: Problems = {}): number[] => [of.retransmitted ?? 0, of.outOfOrder ?? 0, of.lost ?? 0, of.keepAlive ?? 0];

function holds(frames: readonly TimedFrame[], client: Problems, server?: Problems): void {
  const { events } = play(frames);
  assert.equal(new Set(events.map((event) => event.flow)).size, 1, 'one flow');
  assert.deepEqual(events.at(-1)?.problems, [list(client), list(server)]);
}

test('nothing is said of segments that follow one another, nor of the first ones of a direction', () => {
  holds([...handshake, c(30, { seq: 101, bytes: 10 }), c(31, { seq: 111, bytes: 10 }), s(40, { ack: 121, bytes: 5 })], {});
  holds([c(0, { seq: 7_000_000, bytes: 10 }), s(1, { seq: 9_000_000, ack: 7_000_010, bytes: 10 })], {});
});

test('a gap is one loss, however long it is, and each gap is one', () => {
  holds([...handshake, c(30, { seq: 1101, bytes: 10 }), c(31, { seq: 1111, bytes: 10 }), c(32, { seq: 9999 })], { lost: 2 });
});

test('a reset beyond the next number follows no gap', () => {
  holds([...handshake, c(30, { seq: 200, flags: RST })], {});
});

test('sequence numbers go on at zero', () => {
  const last = 0xffff_fff6;
  holds([c(0, { seq: last - 10, bytes: 10 }), c(1, { seq: last, bytes: 20 }), c(2, { seq: 10, bytes: 5 })], {});
  holds([c(0, { seq: last, bytes: 20 }), c(100, { seq: last, bytes: 5 })], { retransmitted: 1 });
});

test('out of order: before the next number, within the round-trip time after it last grew', () => {
  const gap = [...handshake, c(30, { seq: 101, bytes: 10 }), c(40, { seq: 121, bytes: 10 })];
  holds([...gap, c(59, { seq: 111, bytes: 10 })], { lost: 1, outOfOrder: 1 });
  holds([...gap, c(62, { seq: 111, bytes: 10 })], { lost: 1, retransmitted: 1 });
});

test('what does not make the next number grow does not make that time longer', () => {
  const gap = [...handshake, c(30, { seq: 101, bytes: 10 }), c(40, { seq: 131, bytes: 10 })];
  holds([...gap, c(58, { seq: 111, bytes: 10 }), c(64, { seq: 121, bytes: 5 })], { lost: 1, outOfOrder: 1, retransmitted: 1 });
});

test('without a handshake the round-trip time is taken for 3 ms', () => {
  const gap = [c(0, { seq: 101, bytes: 10 }), c(10, { seq: 121, bytes: 10 })];
  holds([...gap, c(12.9, { seq: 111, bytes: 10 })], { lost: 1, outOfOrder: 1 });
  holds([...gap, c(13.1, { seq: 111, bytes: 10 })], { lost: 1, retransmitted: 1 });
});

test('the round-trip time begins at the last SYN', () => {
  const frames = [
    c(0, { seq: 100, ack: 0, flags: SYN }),
    c(1000, { seq: 100, ack: 0, flags: SYN }), // retransmitted
    s(1010, { seq: 500, flags: SYN | ACK }),
    c(1020, { seq: 101 }),
    c(1030, { seq: 121, bytes: 10 }),
    c(1080, { seq: 111, bytes: 10 }), // 50 ms later: 20 ms are the limit, not 1,020
  ];
  holds(frames, { lost: 1, retransmitted: 2 });
});

test('the newest segment again is a retransmission, however soon', () => {
  holds([...handshake, c(30, { seq: 101, bytes: 10 }), c(30.1, { seq: 101, bytes: 10 })], { retransmitted: 1 });
});

test('a late segment is told from the growth of the next number after more than 71 minutes too', () => {
  // µs since the flow's first packet pass 2³² after 71.6 minutes
  const minutes = Array.from({ length: 78 }, (_, i) => c(30 + i * 55_350, { seq: 101 + i * 10, bytes: 10 }));
  const end = 30 + 78 * 55_350;
  const late = [c(end, { seq: 901, bytes: 10 }), c(end + 5, { seq: 881, bytes: 10 }), c(end + 50, { seq: 891, bytes: 10 })];
  holds([...handshake, ...minutes, ...late], { lost: 1, outOfOrder: 1, retransmitted: 1 });
});

test('a segment that comes again 268 s after the one before it, when the clock of that growth has gone round, is no late one', () => {
  const round = 2 ** 28 / 1000;
  const others = Array.from({ length: 6 }, (_, i) => s(1000 + i * 50_000, { seq: 501 + i * 10, ack: 111, bytes: 10 }));
  const frames = [...handshake, c(30, { seq: 101, bytes: 10 }), c(31, { seq: 121, bytes: 10 }), ...others];
  holds([...frames, c(31 + round + 1, { seq: 111, bytes: 10 })], { lost: 1, retransmitted: 1 });
});

test('the answer time begins at the last request, however old the flow is', () => {
  const answerUs = (frames: readonly TimedFrame[]): number | undefined => {
    const { events } = play(frames);
    assert.equal(new Set(events.map((event) => event.flow)).size, 1, 'one flow');
    return events.at(-1)?.answerUs;
  };
  const quiet = Array.from({ length: 78 }, (_, i) => c(30 + i * 55_350, { seq: 101 }));
  const round = 2 ** 32 / 1000;
  const asked = (ms: number): TimedFrame[] => [...handshake, ...quiet, c(ms, { seq: 101, bytes: 10 })];
  for (const ms of [round - 5, round + 5]) {
    assert.equal(answerUs([...asked(ms), s(ms + 7.5, { ack: 111, bytes: 10 })]), 7500);
  }
  assert.equal(answerUs([...asked(round - 5), c(round + 1, { seq: 111, bytes: 10 }), s(round + 2, { ack: 121, bytes: 10 })]), 1000);
  assert.equal(
    answerUs([...handshake, c(30, { seq: 101, bytes: 10 }), s(32, { ack: 111, bytes: 10 }), s(40, { seq: 511, bytes: 10 })]),
    2000,
  );
  assert.equal(answerUs([...handshake, s(32, { bytes: 10 })]), 0, 'nobody asked');
});

test('fast: two duplicate acknowledgements ask for the segment, which comes within 20 ms', () => {
  const asked = [
    ...handshake,
    c(30, { seq: 101, bytes: 10 }),
    c(31, { seq: 111, bytes: 10 }),
    c(32, { seq: 121, bytes: 10 }),
    s(38, { ack: 111 }),
    s(39, { ack: 111 }),
    s(40, { ack: 111 }),
  ];
  // within the round-trip time of 20 ms it would be out of order without them
  holds([...asked, c(45, { seq: 111, bytes: 9 })], { retransmitted: 1 });
  holds([...asked.slice(0, -1), c(45, { seq: 111, bytes: 9 })], { outOfOrder: 1 });
  holds([...asked, c(45, { seq: 121, bytes: 9 })], { outOfOrder: 1 });
});

test('an acknowledgement with another window is no duplicate', () => {
  const asked = [
    ...handshake,
    c(30, { seq: 101, bytes: 10 }),
    c(31, { seq: 111, bytes: 20 }),
    ...[1000, 2000, 3000].map((window, i) => s(38 + i, { ack: 111, window })),
  ];
  holds([...asked, c(45, { seq: 111, bytes: 9 })], { outOfOrder: 1 });
});

test('spurious: the other end has acknowledged the data already', () => {
  const acked = [...handshake, c(30, { seq: 101, bytes: 10 }), c(31, { seq: 111, bytes: 10 }), s(35, { ack: 121 })];
  holds([...acked, c(36, { seq: 101, bytes: 10 })], { retransmitted: 1 });
  // even where the capture sees the acknowledgement before the data
  holds([...handshake, s(25, { ack: 111 }), c(26, { seq: 101, bytes: 10 })], { retransmitted: 1 });
});

test('keep-alive: 0 or 1 bytes, one before the next number', () => {
  holds([...handshake, c(30, { seq: 100 }), c(31, { seq: 100, bytes: 1 })], { keepAlive: 2 });
});

test('more than one byte from one before the next number is new data, a FIN there is a retransmission', () => {
  holds([...handshake, c(30, { seq: 100, bytes: 5 }), c(31, { seq: 105, bytes: 5 })], {});
  holds([...handshake, c(30, { seq: 101, flags: FIN | ACK }), c(31, { seq: 101, flags: FIN | ACK })], { retransmitted: 1 });
});

test('an answer to a keep-alive is no duplicate acknowledgement', () => {
  const answered = [
    ...handshake,
    c(30, { seq: 101, bytes: 10 }),
    s(31, { ack: 111 }),
    ...[32, 34, 36].flatMap((ms) => [c(ms, { seq: 110 }), s(ms + 1, { ack: 111 })]),
  ];
  const more = [c(38, { seq: 111, bytes: 10 }), c(39, { seq: 121, bytes: 10 }), c(40, { seq: 111, bytes: 9 })];
  holds([...answered, ...more], { keepAlive: 3, outOfOrder: 1 });
});

test('a probe of a closed window is not counted and does not move the next number', () => {
  const closed = [...handshake, c(30, { seq: 101, bytes: 10 }), s(31, { ack: 111, window: 0 })];
  holds([...closed, c(300, { seq: 111, bytes: 1 }), c(600, { seq: 111, bytes: 1 }), c(900, { seq: 111, bytes: 10 })], {});
  const open = [...handshake, c(30, { seq: 101, bytes: 10 }), s(31, { ack: 111, window: 9 })];
  holds([...open, c(300, { seq: 111, bytes: 1 }), c(600, { seq: 111, bytes: 1 })], { keepAlive: 1 });
});

test('acknowledgements without data are never retransmitted or out of order', () => {
  holds([...handshake, c(30, { seq: 101, bytes: 10 }), c(31, { seq: 101 }), c(90, { seq: 105 })], {});
});

test('a SYN again, and a SYN+ACK again, are retransmissions', () => {
  const frames = [
    c(0, { seq: 100, ack: 0, flags: SYN }),
    c(1000, { seq: 100, ack: 0, flags: SYN }),
    s(1010, { seq: 500, flags: SYN | ACK }),
    s(1500, { seq: 500, flags: SYN | ACK }),
  ];
  holds(frames, { retransmitted: 1 }, { retransmitted: 1 });
});

test('a SYN with another number is a new connection on the same ports', () => {
  const again = [
    c(100, { seq: 5_000_000, ack: 0, flags: SYN }),
    s(110, { seq: 90, ack: 5_000_001, flags: SYN | ACK }),
    c(120, { seq: 5_000_001, ack: 91 }),
    c(130, { seq: 5_000_001, ack: 91, bytes: 10 }),
  ];
  holds([...handshake, c(30, { seq: 101, bytes: 10 }), s(40, { ack: 111, bytes: 10 }), ...again], {});
});

test('a capture that begins with an answer knows where the other end begins', () => {
  const fresh = [c(50, { seq: 777_000, ack: 0, flags: SYN }), s(51, { seq: 3, ack: 777_001, flags: SYN | ACK })];
  holds([s(0, { seq: 501, ack: 101 }), ...fresh], {});
});

test('a SYN again after a reset with a strange number begins where it began', () => {
  const frames = [
    c(0, { seq: 100, ack: 0, flags: SYN }),
    c(1, { seq: 90_000, ack: 0, flags: RST }),
    c(500, { seq: 100, ack: 0, flags: SYN }),
    s(510, { seq: 500, flags: SYN | ACK }),
    c(520, { seq: 101 }),
    c(530, { seq: 101, bytes: 10 }),
  ];
  holds(frames, { retransmitted: 1 });
});

test('what the capture has cut off counts: sequence numbers move by the length that IP announces', () => {
  const cut = (ms: number, seq: number): TimedFrame => {
    const whole = c(ms, { seq, bytes: 1000 });
    return { at: whole.at, bytes: whole.bytes.subarray(0, 60) };
  };
  holds([...handshake, cut(30, 101), cut(31, 1101), cut(32, 2101), cut(33, 4101)], { lost: 1 });
});
