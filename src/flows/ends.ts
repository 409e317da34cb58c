/**
 * What is known of the ends of a flow: local networks, blacklists, device types, expected servers. Looked up when a flow begins, and
 * again when a list or a policy has changed; never per packet.
 */
import type { Devices } from '../hosts/devices.ts';
import type { Lists } from '../hosts/lists/lookup.ts';
import { createPrefixSet, isUnicast4, isUnicast6, type PrefixSet } from '../hosts/prefixes.ts';
import * as batch from '../packet/batch.ts';
import { addressesOf, type Preferences } from '../preferences.ts';
import * as record from './record.ts';
import type { Records } from './table.ts';
import * as tables from './table.ts';

// Constants of this module: V8 folds these into machine code; imported ones it would load and check at each use.
const { PV_IPV6 } = batch;
const {
  R_A,
  R_B,
  R_MAC0,
  R_MAC1,
  R_NET0,
  R_NET1,
  R_PORTS,
  R_PV,
  R_STATE,
  R_V6,
  RECORD_BYTES,
  STATE_CLIENT_BLACKLISTED,
  STATE_CLIENT_UNICAST,
  STATE_SERVER_BLACKLISTED,
  STATE_SERVER_UNICAST,
} = record;
const { RECORD_WORDS } = tables;

const CATEGORY_MALWARE = 100;
/** SMTP, DNS, DHCP, NTP, submission of mail. */
const SERVICE_PORTS = new Set([25, 53, 67, 123, 465, 587]);

export interface Ends {
  /** A flow has begun: its networks, kinds of addresses, blacklists. */
  begin(id: number): void;
  /** Lists have changed. */
  relist(id: number): void;
  /** Category that a list gives one of the flow's addresses, 0 = none. */
  category(id: number): number;
  /** Device types of client and server, 0 = unknown. */
  deviceType(id: number, end: 0 | 1): number;
  /**
   * Is the end that serves in the set, or the set empty? The serving end is the one on a port of the service: a DHCP server speaks
   * first to a client without an address. A group or broadcast address serves nobody.
   */
  serverIn(id: number, set: PrefixSet): boolean;
}

export function createEnds(records: Records, localNetworks: PrefixSet, lists: () => Lists, devices: () => Devices): Ends {
  const { i32, u8, v6 } = records;

  /** Word of an end's IPv4 address, or the offset of its IPv6 address among them. */
  const addressOf = (id: number, end: 0 | 1): number => {
    const r = id * RECORD_WORDS;
    const isB = (i32[r + (R_STATE >> 2)] as number) < 0 !== (end === 1);
    if ((i32[r + (R_PV >> 2)] as number) >= PV_IPV6) return (i32[r + (R_V6 >> 2)] as number) * 32 + (isB ? 16 : 0);
    return i32[r + ((isB ? R_B : R_A) >> 2)] as number;
  };
  const isIpv6 = (id: number): boolean => (i32[id * RECORD_WORDS + (R_PV >> 2)] as number) >= PV_IPV6;

  const portOf = (id: number, end: 0 | 1): number => {
    const r = id * RECORD_WORDS;
    const ports = i32[r + (R_PORTS >> 2)] as number;
    return (i32[r + (R_STATE >> 2)] as number) < 0 !== (end === 1) ? ports & 0xffff : ports >>> 16;
  };

  const listed = (id: number, end: 0 | 1): number => {
    const known = lists();
    if (known.addresses === 0) return 0;
    return isIpv6(id) ? known.category6(v6, addressOf(id, end)) : known.category4(addressOf(id, end));
  };

  const blacklisted = (id: number): number =>
    (listed(id, 0) === CATEGORY_MALWARE ? STATE_CLIENT_BLACKLISTED : 0) |
    (listed(id, 1) === CATEGORY_MALWARE ? STATE_SERVER_BLACKLISTED : 0);

  return {
    begin(id) {
      const client = addressOf(id, 0);
      const server = addressOf(id, 1);
      let state = i32[id * RECORD_WORDS + (R_STATE >> 2)] as number;
      if (isIpv6(id)) {
        u8[id * RECORD_BYTES + R_NET0] = localNetworks.match6(v6, client) + 1;
        u8[id * RECORD_BYTES + R_NET1] = localNetworks.match6(v6, server) + 1;
        if (isUnicast6(v6, client)) state |= STATE_CLIENT_UNICAST;
        if (isUnicast6(v6, server)) state |= STATE_SERVER_UNICAST;
      } else {
        u8[id * RECORD_BYTES + R_NET0] = localNetworks.match4(client) + 1;
        u8[id * RECORD_BYTES + R_NET1] = localNetworks.match4(server) + 1;
        if (isUnicast4(client)) state |= STATE_CLIENT_UNICAST;
        if (isUnicast4(server)) state |= STATE_SERVER_UNICAST;
      }
      i32[id * RECORD_WORDS + (R_STATE >> 2)] = state | blacklisted(id);
    },
    relist(id) {
      const r = id * RECORD_WORDS + (R_STATE >> 2);
      i32[r] = ((i32[r] as number) & ~(STATE_CLIENT_BLACKLISTED | STATE_SERVER_BLACKLISTED)) | blacklisted(id);
    },
    category: (id) => listed(id, 1) || listed(id, 0),
    deviceType(id, end) {
      const known = devices();
      if (known.size === 0) return 0;
      const mac = id * RECORD_BYTES + (end === 0 ? R_MAC0 : R_MAC1);
      return isIpv6(id) ? known.typeOf(u8, mac, v6, addressOf(id, end)) : known.typeOf4(u8, mac, addressOf(id, end));
    },
    serverIn(id, set) {
      if (set.size === 0) return true;
      const end = SERVICE_PORTS.has(portOf(id, 0)) && !SERVICE_PORTS.has(portOf(id, 1)) ? 0 : 1;
      const isUnicast = end === 0 ? STATE_CLIENT_UNICAST : STATE_SERVER_UNICAST;
      if (((i32[id * RECORD_WORDS + (R_STATE >> 2)] as number) & isUnicast) === 0) return true;
      return (isIpv6(id) ? set.match6(v6, addressOf(id, end)) : set.match4(addressOf(id, end))) >= 0;
    },
  };
}

/** The servers that are expected, by protocol; an empty set expects any. */
export type ExpectedServers = Readonly<Record<'dhcp' | 'dns' | 'ntp' | 'smtp', PrefixSet>>;

export function expectedServers(preferences: Preferences): ExpectedServers {
  const set = (text: string): PrefixSet => {
    const prefixes = createPrefixSet();
    for (const network of addressesOf(text)) prefixes.add(network);
    return prefixes;
  };
  return {
    dhcp: set(preferences.dhcp_servers),
    dns: set(preferences.dns_servers),
    ntp: set(preferences.ntp_servers),
    smtp: set(preferences.smtp_servers),
  };
}
