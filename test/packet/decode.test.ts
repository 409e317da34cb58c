/** The decoder, header by header: raw bytes in, the whole entry out. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { S_A, S_B, S_FLAGS, S_HASH, S_PORTS, S_PV, SCRATCH_WORDS } from '../../src/packet/batch.ts';
import { decodeCounter } from '../../src/packet/counters.ts';
import { DECODE_COUNTERS, DEFAULT_DECODE_OPTIONS, MAX_TUNNELS, supportsLinkType } from '../../src/packet/decode.ts';
import { ACK, ethernet, extension, fragment6, hex, icmp, ipv4, ipv6, join, type Layer, SYN, tcp, udp, vlan } from '../support/packets.ts';
import { balance, batchOf, counted, type Entry, entryOf, hasEthernet, run } from './harness.ts';

const ALL = { gtp: true, gre: true, vxlan: true };

/** The entry and the counters of one packet, the same by the fast path and by the general one. */
function decodeOne(bytes: Uint8Array, linkType = 1, options = DEFAULT_DECODE_OPTIONS): [Entry | undefined, object] {
  const batch = batchOf([{ bytes }], linkType);
  const result = run([batch], { options });
  const general = run([batch], { options, fastPath: false });
  assert.deepEqual(general, result);
  const [packets, sum] = balance(result);
  assert.equal(sum, packets);
  const decoded = result.words.length > 0;
  if (decoded) assert.equal(hasEthernet(result, 0), linkType === 1);
  return [decoded ? entryOf(batch, result, 0) : undefined, counted(result)];
}

const DNS: Entry = { from: '10.0.0.1 40000', to: '10.0.0.2 53', protocol: 17, payload: 5, tosTtl: [0, 64], at: [14, 33, 47] };
const dns = ipv4({}, udp({}, 'query'));
const DNS6: Entry = { from: '2001:db8::1 40000', to: '2001:db8::2 53', protocol: 17, payload: 5, tosTtl: [0, 64], at: [14, 53, 67] };
const dns6 = ipv6({}, udp({}, 'query'));
/** The entry of `dns` whose IP header is at `l3` of a packet of that length. */
const dnsAt = (l3: number, rest: Partial<Entry> = {}): Entry => ({ ...DNS, at: [l3, 33, l3 + 33], ...rest });

describe('Ethernet, IPv4, transport', () => {
  it('reads TCP from raw bytes', () => {
    const bytes = hex(`
      020000000002 020000000001 0800
      45b8 0037 1234 4000 3f06 0000 c0a80105 0a000001
      01bb c001 11223344 99887766 8018 01f6 0000 0000 0101080a 00000001 00000002
      616263`);
    assert.deepEqual(decodeOne(bytes), [
      {
        from: '192.168.1.5 443',
        to: '10.0.0.1 49153',
        protocol: 6,
        tcp: { flags: 0x18, seq: 0x11223344, ack: 0x99887766, window: 0x01f6 },
        payload: 3,
        tosTtl: [0xb8, 63],
        at: [14, 55, 69],
      },
      {},
    ]);
  });

  it('does not count Ethernet padding as payload, but hands it over', () => {
    const [entry] = decodeOne(ethernet({ pad: 60 }, ipv4({}, tcp({ flags: SYN }))));
    assert.deepEqual(entry, {
      from: '10.0.0.1 40000',
      to: '10.0.0.2 80',
      protocol: 6,
      tcp: { flags: SYN, seq: 0, ack: 0, window: 65535 },
      tosTtl: [0, 64],
      at: [14, 46, 60],
    });
  });

  it('reads UDP', () => assert.deepEqual(decodeOne(ethernet({}, dns)), [DNS, {}]));

  it('reads IPv4 options', () => {
    const packet = ethernet({}, ipv4({ options: hex('94040000 01') }, udp({}, 'query')));
    assert.deepEqual(decodeOne(packet), [{ ...DNS, at: [14, 41, 55] }, {}]);
  });

  it('reads SCTP ports', () => {
    const sctp = hex('0b59 0b5a 00000001 00000000 00030010 00000000');
    const expected = { from: '10.0.0.1 2905', to: '10.0.0.2 2906', protocol: 132, payload: 8, tosTtl: [0, 64], at: [14, 40, 54] };
    assert.deepEqual(decodeOne(ethernet({}, ipv4({ protocol: 132 }, sctp))), [expected, {}]);
  });

  it('reads ICMP type and code, and knows other protocols by number', () => {
    const expected: Entry = { from: '10.0.0.1', to: '10.0.0.2', protocol: 1, tosTtl: [0, 64], at: [14, 28, 42] };
    assert.deepEqual(decodeOne(ethernet({}, ipv4({}, icmp({ type: 11, code: 1 })))), [{ ...expected, icmp: [11, 1] }, {}]);
    assert.deepEqual(decodeOne(ethernet({}, ipv4({ protocol: 50 }, new Uint8Array(8)))), [{ ...expected, protocol: 50 }, {}]);
  });
});

describe('IPv6', () => {
  it('reads UDP and the traffic class', () => {
    const packet = ethernet({}, ipv6({ trafficClass: 0xb8, hopLimit: 1 }, udp({}, 'query')));
    assert.deepEqual(decodeOne(packet), [{ ...DNS6, tosTtl: [0xb8, 1] }, {}]);
  });

  it('reads over extension headers', () => {
    const inner = extension(0, extension(60, extension(43, udp({}, 'query'), new Uint8Array(22))));
    assert.deepEqual(decodeOne(ethernet({}, ipv6({}, inner))), [{ ...DNS6, at: [14, 93, 107] }, {}]);
    const atomic = fragment6({ id: 7 }, udp({}, 'query'));
    assert.deepEqual(decodeOne(ethernet({}, ipv6({}, atomic))), [{ ...DNS6, at: [14, 61, 75] }, {}]);
  });

  it('reads ICMPv6, and keeps AH, ESP, mobility and no-next-header as protocols', () => {
    const expected: Entry = { from: '2001:db8::1', to: '2001:db8::2', protocol: 58, tosTtl: [0, 64], at: [14, 48, 62] };
    assert.deepEqual(decodeOne(ethernet({}, ipv6({}, icmp({ v6: true, type: 135 })))), [{ ...expected, icmp: [135, 0] }, {}]);
    for (const protocol of [50, 51, 59, 135]) {
      assert.deepEqual(decodeOne(ethernet({}, ipv6({ protocol }, new Uint8Array(8)))), [{ ...expected, protocol }, {}]);
    }
  });

  it('takes the captured length of a jumbogram', () => {
    assert.deepEqual(decodeOne(ethernet({}, ipv6({ payloadLength: 0 }, udp({}, 'query')))), [DNS6, { iplen0: 1 }]);
    assert.deepEqual(decodeOne(ethernet({}, ipv6({ protocol: 59 }))), [
      { from: '2001:db8::1', to: '2001:db8::2', protocol: 59, tosTtl: [0, 64], at: [14, 40, 54] },
      {},
    ]);
  });
});

describe('link types and what lies between', () => {
  const zeros = (length: number): Uint8Array => new Uint8Array(length);
  const snap = hex('aaaa03 000000 0800');
  const wifiData = hex('0801 0000 020000000001 020000000002 020000000003 1000');
  const cases: [name: string, linkType: number, before: Uint8Array, packet?: Layer][] = [
    ['raw 12', 12, zeros(0)],
    ['raw 14', 14, zeros(0)],
    ['raw 101', 101, zeros(0)],
    ['raw 101 IPv6', 101, zeros(0), dns6],
    ['IPv4', 228, zeros(0)],
    ['IPv6', 229, zeros(0), dns6],
    ['NULL little-endian', 0, hex('02000000')],
    ['NULL big-endian', 0, hex('00000002')],
    ['NULL IPv6 of macOS', 0, hex('1e000000'), dns6],
    ['LOOP IPv6 of OpenBSD', 108, hex('00000018'), dns6],
    ['Linux cooked', 113, hex('0000 0001 0006 020000000001 0000 0800')],
    ['Linux cooked, VLAN', 113, hex('0000 0001 0006 020000000001 0000 8100 0064 0800')],
    ['Linux cooked 2', 276, hex('0800 0000 00000002 0001 00 06 020000000001 0000')],
    ['PPP', 9, hex('0021')],
    ['PPP compressed protocol', 9, hex('21')],
    ['PPP with address and control', 9, hex('ff03 0057'), dns6],
    ['PPP over HDLC', 50, hex('ff03 0021')],
    ['C-HDLC in PPP over HDLC', 50, hex('0f00 0800')],
    ['C-HDLC in PPP', 9, hex('8f00 0800')],
    ['C-HDLC', 104, hex('8f00 86dd'), dns6],
    ['802.11', 105, join(wifiData, snap)],
    ['802.11 QoS, four addresses', 105, join(hex('8803'), wifiData.subarray(2), hex('020000000004 0000'), snap)],
    ['802.11 QoS, HT control', 105, join(hex('8881'), wifiData.subarray(2), hex('0000 00000000'), snap)],
    ['radiotap', 127, join(hex('0000 0800 00000000'), wifiData, snap)],
    [
      'radiotap, TSFT, flags: padding',
      127,
      join(hex('0000 1900 03000080 00000000 00000000 0000000000000000 20'), hex('8801'), wifiData.subarray(2), hex('0000 0000'), snap),
    ],
    ['PPI with 802.11', 192, join(hex('0000 0800 69000000'), wifiData, snap)],
  ];
  for (const [name, linkType, before, packet = dns] of cases) {
    it(name, () => {
      const l3 = before.length;
      const [entry, counters] = decodeOne(join(before, packet), linkType);
      const length = packet.length;
      const vlanId = name.includes('VLAN') ? { vlan: 100 } : {};
      assert.deepEqual(entry, { ...(packet === dns ? DNS : DNS6), ...vlanId, at: [l3, length, l3 + length] });
      assert.deepEqual(counters, {});
    });
  }

  it('reads 802.11 with a checksum at its end, unless that is bad', () => {
    const packet = join(hex('0000 0900 02000000 10'), wifiData, snap, dns, hex('deadbeef'));
    assert.deepEqual(decodeOne(packet, 127)[0], { ...DNS, at: [41, 37, 78] });
    packet[8] = 0x50;
    assert.deepEqual(decodeOne(packet, 127), [undefined, { 'malformed.wifi': 1 }]);
  });

  it('skips what 802.11 carries besides plain data', () => {
    const frame = (control: string): Uint8Array => join(hex(control), wifiData.subarray(2), snap, dns);
    assert.deepEqual(decodeOne(frame('8000'), 105), [undefined, { 'wifi-other': 1 }]); // beacon
    assert.deepEqual(decodeOne(frame('4801'), 105), [undefined, { 'wifi-other': 1 }]); // null data
    assert.deepEqual(decodeOne(frame('0841'), 105), [undefined, { 'wifi-encrypted': 1 }]);
  });

  it('takes the innermost VLAN id', () => {
    assert.deepEqual(decodeOne(ethernet({}, vlan({ id: 100 }, dns))), [dnsAt(18, { vlan: 100 }), {}]);
    const priorityBits = vlan({ id: 0xe000 | 200 }, dns);
    for (const tpid of [0x8100, 0x88a8, 0x9100]) {
      assert.deepEqual(decodeOne(ethernet({}, vlan({ id: 100, tpid }, priorityBits))), [dnsAt(22, { vlan: 200 }), {}]);
    }
  });

  it('reads MPLS, PPPoE, 802.3 with LLC and with SNAP', () => {
    assert.deepEqual(decodeOne(ethernet({ type: 0x8847 }, join(hex('00010040 00020140'), dns))), [dnsAt(22), {}]);
    assert.deepEqual(decodeOne(ethernet({ type: 0x8864 }, join(hex('1100 0001 0023 0021'), dns))), [dnsAt(22), {}]);
    assert.deepEqual(decodeOne(ethernet({ type: 36 }, join(hex('060603'), dns))), [dnsAt(17), {}]);
    assert.deepEqual(decodeOne(ethernet({ type: 41 }, join(snap, dns))), [dnsAt(22), {}]);
  });

  it('counts what is not IP, and link types nobody knows', () => {
    const nothing = [undefined, { 'non-ip': 1 }];
    assert.deepEqual(decodeOne(ethernet({ type: 0x0806 }, zeros(28))), nothing); // ARP
    assert.deepEqual(decodeOne(ethernet({ type: 0x88cc }, zeros(28))), nothing); // LLDP
    assert.deepEqual(decodeOne(ethernet({ type: 38 }, join(hex('424203'), zeros(35)))), nothing); // STP
    assert.deepEqual(decodeOne(ethernet({ type: 0x8864 }, hex('1100 0001 0004 c021 0101'))), nothing); // LCP
    assert.deepEqual(decodeOne(dns, 147), [undefined, { 'unsupported-link': 1 }]);
    assert.equal(supportsLinkType(147), false);
    for (const [, linkType] of cases) assert.equal(supportsLinkType(linkType), true);
  });
});

describe('tunnels', () => {
  const inner = ipv4({ from: '192.168.0.1', to: '192.168.0.2' }, udp({}, 'query'));
  const INNER: Entry = { ...DNS, from: '192.168.0.1 40000', to: '192.168.0.2 53' };
  const innerAt = (l3: number, rest: Partial<Entry> = {}): Entry => ({ ...INNER, at: [l3, 33, l3 + 33], ...rest });
  const outer = (protocol: number, l3Bytes: number, rest: Partial<Entry> = {}): Entry => {
    return { from: '10.0.0.1', to: '10.0.0.2', protocol, tosTtl: [0, 64], at: [14, l3Bytes, 14 + l3Bytes], ...rest };
  };
  const gtp = (flags: string, rest: string, packet: Uint8Array): Uint8Array =>
    ethernet({}, ipv4({}, udp({ from: 2152, to: 2152 }, join(hex(`${flags} ff 0000 00000001 ${rest}`), packet))));

  it('opens IP-in-IP always', () => {
    assert.deepEqual(decodeOne(ethernet({}, ipv4({}, inner))), [innerAt(34), { 'tunnels.ipip': 1 }]);
    assert.deepEqual(decodeOne(ethernet({}, ipv6({}, inner))), [innerAt(54), { 'tunnels.ipip': 1 }]);
    const six = { ...DNS6, at: [34, 53, 87] };
    assert.deepEqual(decodeOne(ethernet({}, ipv4({}, dns6))), [six, { 'tunnels.ipip': 1 }]);
  });

  it('opens GTP-U, keeps the VLAN id', () => {
    assert.deepEqual(decodeOne(gtp('30', '', inner)), [innerAt(50), { 'tunnels.gtp': 1 }]);
    assert.deepEqual(decodeOne(gtp('32', '0001 00 00', inner)), [innerAt(54), { 'tunnels.gtp': 1 }]);
    assert.deepEqual(decodeOne(gtp('34', '0000 00 85 01 1000 00', inner)), [innerAt(58), { 'tunnels.gtp': 1 }]);
    const tagged = ethernet({}, vlan({ id: 7 }, gtp('30', '', inner).subarray(14) as Layer));
    tagged.set([0x08, 0x00], 16);
    assert.deepEqual(decodeOne(tagged), [innerAt(54, { vlan: 7 }), { 'tunnels.gtp': 1 }]);
  });

  it('leaves GTP-U closed without the option, or when no IP is inside', () => {
    const closed = outer(17, 69, { from: '10.0.0.1 2152', to: '10.0.0.2 2152', payload: 41 });
    assert.deepEqual(decodeOne(gtp('30', '', inner), 1, { ...ALL, gtp: false }), [closed, {}]);
    const echo = gtp('32', '0001 00 00', inner);
    echo[43] = 1;
    assert.deepEqual(decodeOne(echo), [outer(17, 73, { ...closed, payload: 45, at: [14, 73, 87] }), { 'tunnels.closed': 1 }]);
    const endless = gtp('34', '0000 00 85 00', inner);
    assert.deepEqual(decodeOne(endless)[1], { 'tunnels.closed': 1 });
  });

  it('opens GRE by option', () => {
    const gre = (header: string, packet: Uint8Array): Uint8Array => ethernet({}, ipv4({ protocol: 47 }, join(hex(header), packet)));
    assert.deepEqual(decodeOne(gre('0000 0800', inner)), [outer(47, 57), {}]);
    assert.deepEqual(decodeOne(gre('0000 0800', inner), 1, ALL), [innerAt(38), { 'tunnels.gre': 1 }]);
    assert.deepEqual(decodeOne(gre('b000 0800 00000000 00000001 00000002', inner), 1, ALL), [innerAt(50), { 'tunnels.gre': 1 }]);
    assert.deepEqual(decodeOne(gre('0000 86dd', dns6), 1, ALL), [{ ...DNS6, at: [38, 53, 91] }, { 'tunnels.gre': 1 }]);
    const bridged = ethernet({}, vlan({ id: 9 }, inner));
    assert.deepEqual(decodeOne(gre('0000 6558', bridged), 1, ALL), [innerAt(56, { vlan: 9 }), { 'tunnels.gre': 1 }]);
    assert.deepEqual(decodeOne(gre('3001 880b 00000000 00000000', inner), 1, ALL), [outer(47, 65), { 'tunnels.closed': 1 }]); // PPTP
  });

  it('opens VXLAN by option', () => {
    const packet = ethernet({}, ipv4({}, udp({ to: 4789 }, join(hex('08000000 00000100'), ethernet({}, inner)))));
    assert.deepEqual(decodeOne(packet, 1, ALL), [innerAt(64), { 'tunnels.vxlan': 1 }]);
    const closed = outer(17, 83, { from: '10.0.0.1 40000', to: '10.0.0.2 4789', payload: 55 });
    assert.deepEqual(decodeOne(packet), [closed, {}]);
  });

  it('stays outside when the inside is damaged', () => {
    assert.deepEqual(decodeOne(ethernet({}, ipv4({ protocol: 4 }, hex('45000001')))), [outer(4, 24), { 'tunnels.closed': 1 }]);
    assert.deepEqual(decodeOne(ethernet({}, ipv4({ protocol: 41 }, inner))), [outer(41, 53), { 'tunnels.closed': 1 }]);
  });

  it('opens eight tunnels at most', () => {
    let packet: Layer = inner;
    for (let i = 0; i < MAX_TUNNELS; i++) packet = ipv4({}, packet);
    assert.deepEqual(decodeOne(ethernet({}, packet)), [innerAt(14 + 160), { 'tunnels.ipip': 8 }]);
    const [entry, counters] = decodeOne(ethernet({}, ipv4({}, packet)));
    assert.deepEqual(entry, { from: '10.0.0.1', to: '10.0.0.2', protocol: 4, tosTtl: [0, 64], at: [174, 53, 227] });
    assert.deepEqual(counters, { 'tunnels.ipip': 8, 'tunnels.too-deep': 1 });
  });
});

describe('fragments', () => {
  const FIRST: Entry = {
    from: '10.0.0.1 40000',
    to: '10.0.0.2 53',
    protocol: 17,
    payload: 8,
    tosTtl: [0, 64],
    fragment: true,
    at: [14, 36, 50],
  };
  const first = ethernet({}, ipv4({ id: 9, moreFragments: true }, udp({}, '12345678')));
  const later = ethernet({}, ipv4({ id: 9, fragmentOffset: 16, protocol: 17 }, '1234'));
  const LATER: Entry = { ...FIRST, payload: 4, at: [14, 24, 38] };

  it('gives later fragments the ports of the first', () => {
    const batch = batchOf([{ bytes: first }, { bytes: later }]);
    const result = run([batch]);
    assert.deepEqual([entryOf(batch, result, 0), entryOf(batch, result, 1)], [FIRST, LATER]);
    assert.deepEqual(counted(result), { fragments: 2 });
  });

  it('knows no ports before the first, after 30 s, or under another id', () => {
    const orphan: Entry = { ...LATER, from: '10.0.0.1 0', to: '10.0.0.2 0' };
    const other = ethernet({}, ipv4({ id: 10, fragmentOffset: 16, protocol: 17 }, '1234'));
    const batch = batchOf([
      { bytes: later, time: 0 },
      { bytes: first, time: 1 },
      { bytes: later, time: 30e6 },
      { bytes: other, time: 30e6 },
      { bytes: later, time: 30e6 + 2 },
    ]);
    const result = run([batch]);
    const entries = [0, 1, 2, 3, 4].map((i) => entryOf(batch, result, i));
    assert.deepEqual(entries, [orphan, FIRST, LATER, orphan, orphan]);
    assert.deepEqual(counted(result), { fragments: 5, 'fragments.orphaned': 3 });
  });

  it('does so for IPv6, whatever header the fragment header names, and for ICMP', () => {
    const six = [
      ethernet({}, ipv6({}, fragment6({ id: 77, more: true }, extension(60, udp({}, '12345678'))))),
      ethernet({}, ipv6({}, fragment6({ id: 77, offset: 24, protocol: 60 }, '1234'))),
      ethernet({}, ipv4({ id: 5, moreFragments: true }, icmp({}, '12345678'))),
      ethernet({}, ipv4({ id: 5, fragmentOffset: 16, protocol: 1 }, '1234')),
    ];
    const batch = batchOf(six.map((bytes) => ({ bytes })));
    const result = run([batch]);
    const tail = { tosTtl: [0, 64], fragment: true };
    const ping = { from: '10.0.0.1', to: '10.0.0.2', protocol: 1, icmp: [8, 0] };
    assert.deepEqual(
      [0, 1, 2, 3].map((i) => entryOf(batch, result, i)),
      [
        { ...DNS6, payload: 8, ...tail, at: [14, 72, 86] },
        { ...DNS6, payload: 4, ...tail, at: [14, 52, 66] },
        { ...ping, ...tail, at: [14, 36, 50] },
        { ...ping, ...tail, at: [14, 24, 38] },
      ],
    );
  });

  it('forgets the oldest when there are too many, and counts it', () => {
    const frames = Array.from({ length: 20000 }, (_, id) => ({
      bytes: ethernet({}, ipv4({ id, moreFragments: true }, udp({}, '12345678'))),
    }));
    const evicted = counted(run([batchOf(frames)]))['fragments.evicted'] ?? 0;
    assert.ok(evicted >= 20000 - 8192 && evicted < 16000, `${evicted}`);
  });

  it('leaves a fragmented tunnel closed', () => {
    const [entry, counters] = decodeOne(ethernet({}, ipv4({ moreFragments: true }, ipv4({}, udp({}, '12345678')))));
    assert.deepEqual(entry, { from: '10.0.0.1', to: '10.0.0.2', protocol: 4, tosTtl: [0, 64], fragment: true, at: [14, 56, 70] });
    assert.deepEqual(counters, { fragments: 1, 'tunnels.fragmented': 1 });
  });
});

describe('cut and damaged packets', () => {
  const whole = ethernet({}, ipv4({}, tcp({ seq: 1, ack: 2, options: hex('020405b4') }, 'hello')));
  const cut = (length: number): Uint8Array => whole.subarray(0, length);

  it('reads what was captured of a cut packet', () => {
    const ends = { from: '10.0.0.1 40000', to: '10.0.0.2 80', protocol: 6, tosTtl: [0, 64] };
    const header = { flags: ACK, seq: 1, ack: 2, window: 65535 };
    assert.deepEqual(decodeOne(cut(60)), [{ ...ends, tcp: header, payload: 2, cut: 3, at: [14, 46, 60] }, { 'snap-cut': 1 }]);
    assert.deepEqual(decodeOne(cut(54)), [{ ...ends, tcp: header, cut: 5, at: [14, 40, 54] }, { 'snap-cut': 1 }]);
    assert.deepEqual(decodeOne(cut(53)), [
      { ...ends, at: [14, 39, 53] },
      { 'snap-cut': 1, 'l4-cut': 1 },
    ]);
    assert.deepEqual(decodeOne(cut(38)), [
      { ...ends, at: [14, 24, 38] },
      { 'snap-cut': 1, 'l4-cut': 1 },
    ]);
    assert.deepEqual(decodeOne(cut(37)), [undefined, { 'snap-cut': 1, 'malformed.l4-truncated': 1 }]);
  });

  it('uses only the ports of a TCP header with an impossible data offset', () => {
    for (const offset of [0x40, 0xf0]) {
      const bad = Uint8Array.from(whole);
      bad[46] = offset;
      const [entry, counters] = decodeOne(bad);
      assert.deepEqual(entry, { from: '10.0.0.1 40000', to: '10.0.0.2 80', protocol: 6, tosTtl: [0, 64], at: [14, 49, 63] });
      assert.deepEqual(counters, { 'tcp-header': 1 });
    }
  });

  it('takes the captured length when the IPv4 length is 0', () => {
    assert.deepEqual(decodeOne(ethernet({}, ipv4({ totalLength: 0 }, udp({}, 'query')))), [DNS, { iplen0: 1 }]);
  });

  const version6 = ipv6({}, udp({}));
  const cases: [reason: string, packet: Uint8Array, linkType?: number][] = [
    ['link', whole.subarray(0, 13)],
    ['link', hex('0000'), 113],
    ['link', ethernet({ type: 8 }, hex('aaaa03 0000'))],
    ['vlan', ethernet({ type: 0x8100 }, hex('0064'))],
    ['mpls', ethernet({ type: 0x8847 }, hex('00010040'))],
    ['ppp', ethernet({ type: 0x8864 }, hex('1100 0001 0004'))],
    ['ppp', ethernet({ type: 0x8864 }, join(hex('2100 0001 0023 0021'), dns))],
    ['wifi', hex('0000 ff00 00000000 0801'), 127],
    ['wifi', hex('0801 0000'), 105],
    ['ip-version', ethernet({ type: 0x0800 }, version6)],
    ['ip-version', ethernet({ type: 0x86dd }, join(dns, new Uint8Array(20)))],
    ['ip-version', hex('00'), 101],
    ['ipv4-truncated', cut(33)],
    ['ipv4-truncated', ethernet({}, ipv4({ options: new Uint8Array(8) })).subarray(0, 40)],
    ['ipv4-header-length', ethernet({ type: 0x0800 }, join(hex('44'), dns.subarray(1)))],
    ['ipv4-total-length', ethernet({}, ipv4({ totalLength: 19 }, udp({})))],
    ['ipv6-truncated', ethernet({ type: 0x86dd }, version6.subarray(0, 39))],
    ['ipv6-extensions', ethernet({}, ipv6({ protocol: 0 }, hex('1101 0000 0000 0000')))],
    ['ipv6-extensions', ethernet({}, ipv6({ protocol: 44 }, hex('1100 0000')))],
    ['l4-truncated', ethernet({}, ipv4({ protocol: 17 }, hex('9c40 00')))],
    ['l4-truncated', ethernet({}, ipv4({ protocol: 132 }))],
    ['l4-truncated', ethernet({}, ipv4({ protocol: 1 }, hex('08')))],
  ];
  for (const [reason, packet, linkType] of cases) {
    it(`counts malformed.${reason}: ${Buffer.from(packet).toString('hex')}`, () => {
      assert.deepEqual(decodeOne(packet, linkType), [undefined, { [`malformed.${reason}`]: 1 }]);
    });
  }

  it('counts frames outside of their chunk', () => {
    const batch = batchOf([{ bytes: whole }, { bytes: whole }]);
    batch.frames[4] = whole.length + 1;
    const result = run([batch]);
    assert.deepEqual([result.times.length, counted(result)], [1, { 'malformed.frame': 1 }]);
  });
});

describe('key', () => {
  const key = (bytes: Uint8Array): [key: number[], fromB: boolean] => {
    const { words } = run([batchOf([{ bytes }])]);
    return [[S_A, S_B, S_PORTS, S_PV, S_HASH].map((word) => words[word]), words[S_FLAGS] < 0];
  };
  const both = (there: Uint8Array, back: Uint8Array): void => {
    const [one, other] = [key(there), key(back)];
    assert.deepEqual(one[0], other[0]);
    assert.notEqual(one[1], other[1]);
  };

  it('is the same in both directions', () => {
    const ends: [string, string][] = [
      ['10.0.0.1', '10.0.0.2'],
      ['10.0.0.1', '192.168.0.1'],
      ['127.0.0.1', '127.0.0.1'],
    ];
    for (const [from, to] of ends) {
      both(
        ethernet({}, ipv4({ from, to }, tcp({ from: 50000, to: 80 }))),
        ethernet({}, ipv4({ from: to, to: from }, tcp({ from: 80, to: 50000 }))),
      );
    }
    for (const [from, to] of [
      ['2001:db8::1', 'fe80::1'],
      ['::1', '::1'],
    ] as const) {
      both(
        ethernet({}, ipv6({ from, to }, udp({ from: 50000, to: 80 }))),
        ethernet({}, ipv6({ from: to, to: from }, udp({ from: 80, to: 50000 }))),
      );
    }
  });

  it('compares IPv4 addresses as unsigned numbers', () => {
    const [[a, b, ports], fromB] = key(ethernet({}, ipv4({ from: '200.0.0.1', to: '100.0.0.1' }, udp({ from: 1, to: 2 }))));
    assert.deepEqual([a, b, ports, fromB], [0x64000001, 0xc8000001 | 0, (2 << 16) | 1, true]);
  });

  it('sets ICMP "port unreachable" apart by the packet it quotes', () => {
    const error = (to: number, code = 3): Uint8Array => {
      const quoted = ipv4({ from: '10.0.0.2', to: '10.0.0.1' }, udp({ to }));
      return ethernet({}, ipv4({}, icmp({ type: 3, code }, quoted)));
    };
    const ports = (bytes: Uint8Array): number => key(bytes)[0][2];
    assert.notEqual(ports(error(53)), 0);
    assert.equal(ports(error(53)), ports(error(53)));
    assert.notEqual(ports(error(53)), ports(error(54)));
    assert.equal(ports(error(53, 1)), 0);
    assert.equal(ports(ethernet({}, ipv4({}, icmp({})))), 0);
  });

  it('hashes by the seed', () => {
    const batch = batchOf([{ bytes: ethernet({}, dns) }]);
    const hashes = [1, 2, 1].map((seed) => run([batch], { seed }).words[S_HASH]);
    assert.notEqual(hashes[0], hashes[1]);
    assert.equal(hashes[0], hashes[2]);
  });
});

describe('batches', () => {
  it('never lets time run back, over batches too', () => {
    const bytes = ethernet({}, dns);
    const first = batchOf([
      { bytes, time: 100 },
      { bytes, time: 90 },
      { bytes, time: 100 },
    ]);
    const second = batchOf([
      { bytes, time: 99 },
      { bytes, time: 101 },
    ]);
    const result = run([first, second]);
    assert.deepEqual([...result.times], [100, 100, 100, 100, 101]);
    assert.deepEqual(counted(result), { 'time-ran-back': 2 });
  });

  it('stops when the scratch is full, and counts packets and wire bytes once', () => {
    const frames = [dns, dns, dns].map((packet) => ({ bytes: ethernet({}, packet), wire: 1000 }));
    frames.splice(1, 0, { bytes: ethernet({ type: 0x0806 }, new Uint8Array(46)), wire: 60 });
    const result = run([batchOf(frames)], { capacity: 2 });
    assert.equal(result.words.length, 3 * SCRATCH_WORDS);
    assert.equal(result.counters[decodeCounter('packets')], 4);
    assert.equal(result.counters[decodeCounter('bytes')], 3060);
    assert.equal(result.counters[decodeCounter('decoded')], 3);
  });

  it('declares every counter once', () => {
    assert.equal(new Set(DECODE_COUNTERS.map(({ name }) => name)).size, DECODE_COUNTERS.length);
  });
});
