/**
 * Random traffic and everything else that happens to an interface, for the model tests (fast-check).
 *
 * Leaves: a setting and a list of actions. Conversations are built as exchanges with their own gaps, so that handshakes, losses and
 * silences are those of real ones; then they are merged by time, some packets run back in time, and the whole is cut into batches,
 * between which policies change, the clock of a live interface moves, and the run ends somewhere.
 */
import fc from 'fast-check';
import type { Preferences } from '../../src/preferences.ts';
import { clientHello, record } from '../support/client-hello.ts';
import { ACK, ethernet, FIN, icmp, ipv4, ipv6, join, type Layer, PSH, RST, SYN, tcp, udp, vlan } from '../support/packets.ts';
import type { Listed } from './lists.ts';
import type { Frame } from './packet.ts';
import type { Action, Setting } from './side-by-side.ts';

const SECOND = 1e6;
export const START = 1_700_000_000 * SECOND;

/** A packet to be: µs after the one before in its conversation. */
interface Step {
  readonly gap: number;
  readonly what: string;
  readonly bytes: Uint8Array;
}

const HOSTS = ['10.0.0.1', '10.0.0.2', '192.168.7.9', '203.0.113.5', '198.51.100.7', '224.0.0.251', '255.255.255.255', '0.0.0.0'];
const HOSTS_V6 = ['fd00::1', '2001:db8::2', 'ff02::fb', '2001:db8:1::3'];

/** Pair of ends; equal ones are rare and allowed. */
const ends = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...HOSTS.slice(0, 5)), fc.constantFrom(...HOSTS)) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...HOSTS_V6), fc.constantFrom(...HOSTS_V6)) },
);

/** Silences: none, within a conversation, and around every limit of the lifecycle. */
const around = fc
  .tuple(fc.constantFrom(1, 2, 5, 10, 15, 20, 60, 75, 100, 120, 125, 300, 305), fc.constantFrom(0, 0, -1, 1, -SECOND, SECOND))
  .map(([limit, off]) => Math.max(0, limit * SECOND + off));
const gap = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 5000 }) },
  { weight: 1, arbitrary: fc.constantFrom(999, 1000, 1001) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 3 * SECOND }) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 20 }).map((seconds) => seconds * SECOND) },
  { weight: 3, arbitrary: around },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 400 * SECOND }) },
);

const repeated = (text: string, length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = text.charCodeAt(i % text.length);
  return bytes;
};

interface Wrap {
  readonly tag: number;
  readonly tos: number;
}
const wrapping: fc.Arbitrary<Wrap> = fc.record({ tag: fc.constantFrom(0, 0, 0, 7), tos: fc.constantFrom(0, 0, 0x2e << 2, 1) });

function wrap(from: string, to: string, { tag, tos }: Wrap, l4: Layer): Uint8Array {
  const l3 = from.includes(':') ? ipv6({ from, to, trafficClass: tos }, l4) : ipv4({ from, to, tos }, l4);
  return ethernet({}, tag === 0 ? l3 : vlan({ id: tag }, l3));
}

const names = [
  'www.example.org',
  'bad.example.net',
  'sub.bad.example.net',
  'pool.mine.example',
  `${'a'.repeat(60)}.${'b'.repeat(50)}.example.org`,
  'odd\x01name.example',
];

const query = (name: string, id: number): Uint8Array =>
  join(
    Uint8Array.of(id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0),
    ...name.split('.').map((label) => join(Uint8Array.of(label.length), Buffer.from(label, 'latin1'))),
    Uint8Array.of(0, 0, 1, 0, 1),
  );
const answer = (name: string, id: number): Uint8Array => {
  const bytes = query(name, id);
  bytes[2] = 0x81;
  bytes[3] = 0x80;
  bytes[7] = 1;
  return join(bytes, Uint8Array.of(0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1));
};

type Payload = 'filler' | 'http' | 'tls' | 'ssh';
const firstPayload = (kind: Payload, name: string): Uint8Array => {
  if (kind === 'http') return Buffer.from(`GET /index.html HTTP/1.1\r\nHost: ${name}\r\nUser-Agent: test\r\n\r\n`, 'latin1');
  if (kind === 'ssh') return Buffer.from('SSH-2.0-OpenSSH_9.2\r\n');
  if (kind === 'tls') return record(clientHello({ ciphers: [0x1301, 0xc02f], serverName: name, supportedVersions: [0x0304] }));
  return repeated('\x55', 40);
};

/** What becomes of a segment on its way. */
type Fate = 'arrives' | 'lost' | 'twice' | 'late' | 'again' | 'keep-alive' | 'asked' | 'fast' | 'zero window';

const segment = fc.record({
  gap,
  fromServer: fc.boolean(),
  length: fc.oneof(fc.constant(0), fc.constant(1), fc.integer({ min: 2, max: 1400 })),
  times: fc.constantFrom(1, 1, 1, 4, 12),
  fate: fc.constantFrom<Fate>(
    'arrives',
    'arrives',
    'arrives',
    'lost',
    'twice',
    'late',
    'again',
    'keep-alive',
    'asked',
    'fast',
    'zero window',
  ),
});

const connection = fc
  .record({
    ends,
    wrapping,
    ports: fc.tuple(fc.constantFrom(40000, 40001), fc.constantFrom(80, 443, 22, 25, 9999)),
    opening: fc.constantFrom(
      'full',
      'full',
      'full',
      'ecn',
      'mid-stream',
      'syn',
      'syn twice',
      'refused',
      'no ack',
      'one-sided',
      'one-sided',
      'turned',
    ),
    payload: fc.constantFrom<Payload>('filler', 'http', 'tls', 'ssh'),
    name: fc.constantFrom(...names.slice(0, 4)),
    isn: fc.constantFrom(1000, 0xfffffff0, 0x7fffff00, 0),
    rtt: fc.constantFrom(0, 1, 300, 40_000, 900_000, 6 * SECOND),
    segments: fc.array(segment, { maxLength: 8 }),
    closing: fc.constantFrom('none', 'none', 'fin', 'half', 'rst'),
    closingGap: gap,
    again: fc.boolean(),
  })
  .map((of): Step[] => {
    const [client, server] = of.ends;
    const steps: Step[] = [];
    const next = [of.isn, 0x1234_5678];
    const send = (after: number, fromServer: boolean, flags: number, seq: number, payload: Uint8Array, window = 65535): void => {
      const [from, to] = fromServer ? [server, client] : [client, server];
      const [fromPort, toPort] = fromServer ? [of.ports[1], of.ports[0]] : of.ports;
      const ack = (flags & ACK) === 0 ? 0 : next[fromServer ? 0 : 1] >>> 0;
      const l4 = tcp({ from: fromPort, to: toPort, flags, seq: seq >>> 0, ack, window }, payload);
      const letters = [...'FSRPAUEC'].filter((_, bit) => (flags & (1 << bit)) !== 0).join('');
      const what = `TCP ${from}:${fromPort} > ${to}:${toPort} ${letters} seq ${seq >>> 0} ack ${ack} length ${payload.length}`;
      steps.push({ gap: after, what, bytes: wrap(from, to, of.wrapping, l4) });
    };
    const none = new Uint8Array(0);
    const move = (side: 0 | 1, by: number): void => {
      next[side] = (next[side] + by) % 2 ** 32;
    };
    const open = (): void => {
      if (of.opening === 'mid-stream') return;
      const syn = of.opening === 'ecn' ? SYN | 0xc0 : SYN;
      if (of.opening === 'turned') send(0, true, SYN | ACK, next[1], none); // its SYN comes late: the flow's client is the server
      send(0, false, syn, next[0], none);
      if (of.opening === 'syn twice') send(SECOND, false, syn, next[0], none);
      move(0, 1);
      if (of.opening === 'syn') return;
      if (of.opening === 'refused') {
        send(of.rtt, true, RST | ACK, 0, none);
        return;
      }
      // one-sided: all of the handshake comes from one end, as where the other way goes past the monitor behind a NAT
      const rtt = of.opening === 'one-sided' ? 0 : of.rtt;
      send(rtt, of.opening !== 'one-sided', SYN | ACK, next[1], none);
      move(1, 1);
      if (of.opening !== 'no ack') send(rtt, false, ACK, next[0], none);
    };
    open();
    let isFirst = true;
    for (const { gap: after, fromServer: back, length, fate, times } of of.segments) {
      const fromServer = back && of.opening !== 'one-sided';
      if (of.opening === 'syn' || of.opening === 'refused') break;
      for (let i = 0; i < times; i++) {
        const side = fromServer ? 1 : 0;
        const seq = next[side];
        const payload = isFirst && length > 1 ? firstPayload(of.payload, of.name) : repeated('\x55', length);
        isFirst &&= length < 2;
        const flags = ACK | (length > 0 ? PSH : 0);
        if (fate === 'keep-alive') send(after, fromServer, ACK, seq - 1, none);
        else if (fate === 'again') send(after, fromServer, flags, seq - payload.length, payload);
        else if (fate === 'late') send(after, fromServer, flags, seq - 2 * payload.length, payload);
        else if (fate === 'asked') for (let k = 0; k < 3; k++) send(after, fromServer, ACK, seq, none);
        else if (fate === 'fast') {
          // a gap, ACKs that ask for what is missing, and there it is
          send(after, fromServer, flags, seq + payload.length, payload);
          for (let k = 0; k < 3; k++) send(10, !fromServer, ACK, next[fromServer ? 0 : 1], none);
          send(1000, fromServer, flags, seq, payload);
        } else if (fate === 'zero window') send(after, fromServer, flags, seq, payload, 0);
        else if (fate !== 'lost') send(after, fromServer, flags, seq, payload);
        if (fate === 'fast') move(side, payload.length);
        if (fate === 'twice') send(100, fromServer, flags, seq, payload);
        if (['arrives', 'lost', 'twice', 'fast', 'zero window'].includes(fate)) move(side, payload.length);
      }
    }
    if (of.closing === 'rst') send(of.closingGap, true, RST, next[1], none);
    if (of.closing === 'fin' || of.closing === 'half') {
      send(of.closingGap, false, FIN | ACK, next[0], none);
      move(0, 1);
      if (of.closing === 'fin') {
        send(of.rtt, true, FIN | ACK, next[1], none);
        move(1, 1);
        send(of.rtt, false, ACK, next[0], none);
      }
    }
    if (of.again) {
      next[0] = (of.isn + 70_000) % 2 ** 32;
      open();
    }
    return steps;
  });

const datagrams = fc
  .record({
    ends,
    wrapping,
    ports: fc.tuple(fc.constantFrom(40000, 5353), fc.constantFrom(53, 53, 53, 123, 514, 9999)),
    name: fc.constantFrom(...names),
    exchanges: fc.array(
      fc.record({
        gap,
        kind: fc.constantFrom('query', 'answered', 'filler', 'filler back', 'fragments'),
        length: fc.constantFrom(1, 40, 400),
        times: fc.constantFrom(1, 1, 2, 13),
        name: fc.option(fc.constantFrom(...names), { nil: undefined }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  })
  .map(({ ends: [client, server], wrapping: of, ports: [near, far], exchanges, name }): Step[] => {
    const send = (after: number, back: boolean, payload: Uint8Array, about: string): Step => {
      const [from, to, fromPort, toPort] = back ? [server, client, far, near] : [client, server, near, far];
      const what = `UDP ${from}:${fromPort} > ${to}:${toPort} ${about} length ${payload.length}`;
      return { gap: after, what, bytes: wrap(from, to, of, udp({ from: fromPort, to: toPort }, payload)) };
    };
    const fragments = (after: number, length: number): Step[] => {
      if (client.includes(':')) return [send(after, false, repeated('\x55', length), 'filler')];
      const whole = udp({ from: near, to: far }, repeated('\x55', 24 + length));
      return [
        ipv4({ from: client, to: server, protocol: 17, id: length, moreFragments: true }, whole.subarray(0, 24)),
        ipv4({ from: client, to: server, protocol: 17, id: length, fragmentOffset: 24 }, whole.subarray(24)),
      ].map((l3, i) => ({
        gap: i === 0 ? after : 10,
        what: `UDP fragment ${i} ${client}:${near} > ${server}:${far}`,
        bytes: ethernet({}, l3),
      }));
    };
    return exchanges.flatMap(({ gap: after, kind, length, times, name: other = name }) =>
      Array.from({ length: times }, (_, id) => {
        if (kind === 'fragments') return fragments(after, length);
        if (kind.startsWith('filler')) return [send(after, kind === 'filler back', repeated('\x55', length), 'filler')];
        const asked = send(after, false, query(other, id), `query ${JSON.stringify(other)}`);
        return kind === 'query' ? [asked] : [asked, send(20_000, true, answer(other, id), 'answer')];
      }).flat(),
    );
  });

const pings = fc
  .record({
    ends,
    wrapping,
    messages: fc.array(
      fc.record({ gap, kind: fc.constantFrom('request', 'reply', 'unreachable'), length: fc.constantFrom(0, 56, 120, 121, 248, 249, 600) }),
      { minLength: 1, maxLength: 6 },
    ),
  })
  .map(({ ends: [client, server], wrapping: of, messages }): Step[] =>
    messages.map(({ gap: after, kind, length }) => {
      const v6 = client.includes(':');
      const [from, to] = kind === 'request' ? [client, server] : [server, client];
      const quoted = v6 ? repeated('q', 48) : ipv4({ from: client, to: server }, udp({ from: 40000, to: 53 }, repeated('\x55', 4)));
      const [type, code, payload] =
        kind === 'unreachable'
          ? ([v6 ? 1 : 3, v6 ? 4 : 3, quoted] as const)
          : ([kind === 'request' ? (v6 ? 128 : 8) : v6 ? 129 : 0, 0, repeated('e', length)] as const);
      return {
        gap: after,
        what: `ICMP ${from} > ${to} ${kind} length ${payload.length}`,
        bytes: wrap(from, to, of, icmp({ v6, type, code }, payload)),
      };
    }),
  );

/** Conversations with their beginnings, µs after the start. */
const conversations = fc.array(
  fc.tuple(
    fc.oneof(
      fc.constant(0),
      fc.integer({ min: 0, max: 100 }).map((seconds) => seconds * SECOND),
      fc.integer({ min: 0, max: 700 * SECOND }),
    ),
    fc.oneof({ weight: 3, arbitrary: connection }, { weight: 2, arbitrary: datagrams }, { weight: 1, arbitrary: pings }),
  ),
  { minLength: 1, maxLength: 10 },
);

const listed: fc.Arbitrary<readonly Listed[]> = fc.uniqueArray(
  fc.record({
    what: fc.constantFrom('203.0.113.5', '10.0.0.0/8', '10.0.0.2', '2001:db8::/32', 'bad.example.net', 'mine.example', '198.51.100.0/24'),
    category: fc.constantFrom(100, 100, 99, 101),
  }),
  { selector: ({ what }) => what, maxLength: 4 },
);

const alertSwitches = fc.record(
  {
    disable_alerts_generation: fc.boolean(),
    probing_alerts: fc.boolean(),
    remote_to_remote_alerts: fc.boolean(),
    udp_unidirectional_alerts: fc.boolean(),
    longlived_flows_alerts: fc.boolean(),
    host_blacklist: fc.boolean(),
    data_exfiltration_alerts: fc.boolean(),
    dns_alerts: fc.boolean(),
  },
  { requiredKeys: [] },
);

const preferences: fc.Arbitrary<Partial<Preferences>> = fc
  .tuple(
    fc.record(
      {
        housekeeping_frequency: fc.constantFrom(1, 2, 5, 7, 30),
        flow_max_idle: fc.constantFrom(1, 2, 4, 15, 20, 60, 100, 250, 250),
        detail_wait: fc.constantFrom(0, 1000, 4000, 20_000),
        longlived_flow_duration: fc.constantFrom(1, 60, 300),
        elephant_flow_local_to_remote_bytes: fc.constantFrom(1024, 4096),
        elephant_flow_remote_to_local_bytes: fc.constantFrom(1024, 4096),
        dns_servers: fc.constantFrom('', '10.0.0.1', '203.0.113.5, 10.0.0.2, 198.51.100.7'),
      },
      { requiredKeys: [] },
    ),
    alertSwitches,
  )
  .map(([values, switches]) => ({ ...values, ...switches }));

export interface Scenario {
  readonly setting: Setting;
  readonly actions: readonly Action[];
  /** One line an action and packet, for people. */
  readonly story: readonly string[];
}

/** A part of a run; doubles of fast-check lie near 0. */
const share = fc.integer({ min: 0, max: 999 }).map((thousandth) => thousandth / 1000);

const seconds = (time: number): string => `${((time - START) / SECOND).toFixed(6)} s`;

const dnsServers = fc.record({ dns_servers: fc.constantFrom('', '10.0.0.1', '198.51.100.7') });
const configure = fc.record(
  { preferences: fc.oneof(preferences, dnsServers), listed: fc.option(listed, { nil: undefined }) },
  { requiredKeys: ['preferences'] },
);

export const scenario: fc.Arbitrary<Scenario> = fc
  .record({
    inline: fc.boolean(),
    maxFlows: fc.constantFrom(1, 4, 5, 8, 200, 200),
    dpiPackets: fc.constantFrom({ tcp: 12, udp: 12 }, { tcp: 12, udp: 12 }, { tcp: 4, udp: 3 }),
    preferences,
    listed,
    lost: fc.oneof(
      { weight: 3, arbitrary: fc.constant([false]) },
      { weight: 1, arbitrary: fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }) },
    ),
    conversations,
    /** Packet at `share` of all runs back by so many µs. */
    back: fc.array(fc.tuple(share, fc.integer({ min: 1, max: 30 * SECOND })), { maxLength: 3 }),
    cuts: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
    changes: fc.array(fc.tuple(share, configure), { maxLength: 6 }),
    /** Live: clock steps after a batch, as shares of the silence behind it; flows in a slice. */
    ticks: fc.array(fc.tuple(share, fc.constantFrom(1, 1, 2, 5)), { minLength: 1, maxLength: 6 }),
    until: fc.oneof({ weight: 2, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: share }),
    reason: fc.constantFrom('end of file' as const, 'shutdown' as const),
    silence: gap,
  })
  .map((of): Scenario => {
    const packets = of.conversations
      .flatMap(([begin, steps], conversation) => {
        let time = START + begin;
        return steps.map(({ gap: after, what, bytes }) => {
          time += after;
          return { time, what: `#${conversation} ${what}`, bytes };
        });
      })
      .sort((x, y) => x.time - y.time);
    for (const [part, us] of of.back) {
      const packet = packets[Math.floor(part * packets.length)];
      if (packet !== undefined) packet.time -= us;
    }
    const kept = packets.slice(0, Math.ceil(packets.length * of.until));
    const changes = of.changes.map(([part, change]) => ({ at: Math.floor(part * kept.length), change })).sort((x, y) => x.at - y.at);
    const actions: Action[] = [];
    const story: string[] = [];
    let turn = 0;
    let clock = 0;
    for (let from = 0; from < kept.length || from === 0; ) {
      for (const { at, change } of changes.splice(0, changes.findLastIndex((one) => one.at <= from) + 1)) {
        actions.push({ do: 'configure', ...change });
        story.push(`  configure at ${at}: ${JSON.stringify(change)}`);
      }
      const size = of.cuts[turn % of.cuts.length];
      const to = Math.min(kept.length, from + size, Math.max(from + 1, changes[0]?.at ?? kept.length));
      const frames: Frame[] = kept.slice(from, to);
      if (frames.length > 0) actions.push({ do: 'packets', frames });
      for (const { time, what } of kept.slice(from, to)) story.push(`  ${seconds(time)} ${what}`);
      story.push('  --');
      clock = frames.reduce((latest, { time }) => Math.max(latest, time), clock);
      if (!of.inline) {
        const next = Math.max(clock, kept[to]?.time ?? clock + of.silence);
        const steps = of.ticks.slice(0, 1 + (turn % of.ticks.length));
        for (const [part, flows] of [[0, steps[0][1]] as const, ...steps.toSorted(([x], [y]) => x - y)]) {
          const time = Math.floor(clock + part * (next - clock));
          actions.push({ do: 'advance', time, flows });
          story.push(`  clock ${seconds(time)}, slices of ${flows}`);
        }
      }
      turn++;
      from = to;
      if (to === 0) break;
    }
    actions.push({ do: 'finish', reason: of.reason });
    const { inline, maxFlows, dpiPackets, preferences: start, listed: lists, lost } = of;
    const setting = { inline, maxFlows, dpiPackets, preferences: start, listed: lists, lost };
    return { setting, actions, story: [`setting ${JSON.stringify(setting)}`, ...story, `finish: ${of.reason}`] };
  });

/** Many ends that say a little each, over and over: the table is crowded or full, its flows come and go. */
export const crowd: fc.Arbitrary<Scenario> = fc
  .record({
    size: fc.constantFrom({ maxFlows: 16, ends: 40 }, { maxFlows: 1000, ends: 900 }),
    packets: fc.array(fc.tuple(fc.nat(899), fc.constantFrom(0, 0, 0, 1000, 100_000)), { minLength: 1500, maxLength: 2500 }),
    cut: fc.integer({ min: 1, max: 128 }),
    maxIdle: fc.constantFrom(2, 20),
  })
  .map(({ size: { maxFlows, ends: count }, packets, cut, maxIdle }): Scenario => {
    let time = START;
    const frames = packets.map(([end, after]): Frame & { readonly what: string } => {
      time += after;
      const port = 20_000 + (end % count);
      const bytes = wrap('10.0.0.1', '10.0.0.2', { tag: 0, tos: 0 }, udp({ from: port, to: 9999 }, 'x'));
      return { time, what: `UDP from port ${port}`, bytes };
    });
    const actions: Action[] = [];
    for (let from = 0; from < frames.length; from += cut) actions.push({ do: 'packets', frames: frames.slice(from, from + cut) });
    const preferences = { flow_max_idle: maxIdle };
    const setting = { inline: true, maxFlows, dpiPackets: { tcp: 12, udp: 12 }, preferences, listed: [], lost: [false] };
    const story = frames.map(({ time: at, what }) => `  ${seconds(at)} ${what}`);
    return {
      setting,
      actions: [...actions, { do: 'finish', reason: 'end of file' }],
      story: [`batches of ${cut}, ${JSON.stringify(setting)}`, ...story],
    };
  });
