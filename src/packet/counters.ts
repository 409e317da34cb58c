/**
 * What the decoder counts, declared once. Every packet either becomes one scratch entry (`decoded`) or is counted by exactly
 * one reason of kind `skipped` or `malformed`:
 *
 *   packets = decoded + sum of all skipped + sum of all malformed
 *
 * Counters of kind `info` say more about packets that are in that sum already.
 */
export interface DecodeCounter {
  readonly name: string;
  readonly help: string;
  /** `skipped`: nothing wrong, but no IP that we could read. `malformed`: damaged or cut too short. */
  readonly kind: 'info' | 'malformed' | 'skipped';
}

export const DECODE_COUNTERS = [
  { name: 'packets', help: 'packets read', kind: 'info' },
  { name: 'bytes', help: 'their bytes on the wire', kind: 'info' },
  { name: 'decoded', help: 'packets that carried IP and went to the flow table', kind: 'info' },
  {
    name: 'time-ran-back',
    help: 'packets older than the one before, or after the year 2255 (no exact time); they got its time',
    kind: 'info',
  },
  { name: 'snap-cut', help: 'IP headers that announce more bytes than were captured (raise --snap-length)', kind: 'info' },
  { name: 'iplen0', help: 'IP headers with length 0 (segmentation offload): the captured length was taken', kind: 'info' },
  { name: 'l4-cut', help: 'TCP, UDP and SCTP headers cut after the ports: the flow is known, the payload is not', kind: 'info' },
  { name: 'tcp-header', help: 'TCP headers whose data offset is impossible: only the ports were used', kind: 'info' },
  { name: 'fragments', help: 'IP fragments', kind: 'info' },
  { name: 'fragments.orphaned', help: 'later fragments whose first one is unknown: their flow has ports 0', kind: 'info' },
  { name: 'fragments.evicted', help: 'first fragments forgotten before their 30 s were over: the table was full', kind: 'info' },
  { name: 'tunnels.ipip', help: 'IP-in-IP tunnels opened', kind: 'info' },
  { name: 'tunnels.gtp', help: 'GTP-U tunnels opened', kind: 'info' },
  { name: 'tunnels.gre', help: 'GRE tunnels opened', kind: 'info' },
  { name: 'tunnels.vxlan', help: 'VXLAN tunnels opened', kind: 'info' },
  { name: 'tunnels.closed', help: 'tunnels without valid IP inside: the flow is that of the tunnel', kind: 'info' },
  { name: 'tunnels.fragmented', help: 'fragments of an IP-in-IP tunnel: the flow is that of the tunnel', kind: 'info' },
  { name: 'tunnels.too-deep', help: 'tunnels inside eight others, left closed', kind: 'info' },
  { name: 'non-ip', help: 'packets that carry no IP (ARP, LLDP, STP, PPP control …)', kind: 'skipped' },
  { name: 'unsupported-link', help: 'packets of a link type that is not decoded', kind: 'skipped' },
  { name: 'wifi-encrypted', help: 'encrypted 802.11 data', kind: 'skipped' },
  { name: 'wifi-other', help: '802.11 management, control, empty, aggregated or fragmented frames', kind: 'skipped' },
  { name: 'malformed.frame', help: 'frames that lie outside of the chunk they came in', kind: 'malformed' },
  { name: 'malformed.link', help: 'packets shorter than their link header', kind: 'malformed' },
  { name: 'malformed.vlan', help: 'packets cut in a VLAN tag', kind: 'malformed' },
  { name: 'malformed.mpls', help: 'packets cut in the MPLS label stack', kind: 'malformed' },
  { name: 'malformed.ppp', help: 'packets cut in, or with an impossible, PPPoE or PPP header', kind: 'malformed' },
  {
    name: 'malformed.wifi',
    help: 'packets with an impossible or cut radiotap, PPI or 802.11 header, or a bad checksum',
    kind: 'malformed',
  },
  { name: 'malformed.ip-version', help: 'IP headers of another version than announced', kind: 'malformed' },
  { name: 'malformed.ipv4-truncated', help: 'packets cut in the IPv4 header', kind: 'malformed' },
  { name: 'malformed.ipv4-header-length', help: 'IPv4 headers that say they are shorter than 20 bytes', kind: 'malformed' },
  { name: 'malformed.ipv4-total-length', help: 'IPv4 packets that say they are shorter than their header', kind: 'malformed' },
  { name: 'malformed.ipv6-truncated', help: 'packets cut in the IPv6 header', kind: 'malformed' },
  { name: 'malformed.ipv6-extensions', help: 'IPv6 extension headers that go beyond the packet', kind: 'malformed' },
  { name: 'malformed.l4-truncated', help: 'TCP, UDP, SCTP packets cut before the ports, ICMP before type and code', kind: 'malformed' },
] as const satisfies readonly DecodeCounter[];

export type DecodeCounterName = (typeof DECODE_COUNTERS)[number]['name'];

/** Position of a counter in {@link DECODE_COUNTERS} and in the array that the decoder counts in. */
export const decodeCounter = (name: DecodeCounterName): number => DECODE_COUNTERS.findIndex((counter) => counter.name === name);
