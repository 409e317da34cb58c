/**
 * What lists and policies make of what detection found: the category that a list gives, fingerprints of malware, protocols that a
 * device must not use. Asked when details come in, and for every flow when a list or policy has changed.
 */
import { protocolPairName } from '../dpi/names.ts';
import type { DetailArena } from './details.ts';
import type { Ends } from './ends.ts';
import type { Policy } from './policy.ts';
import {
  DETAIL_APP,
  DETAIL_CATEGORY,
  DETAIL_MASTER,
  FACT_DEVICE_CLIENT,
  FACT_DEVICE_SERVER,
  FACT_JA3_CLIENT,
  FACT_JA3_SERVER,
  R_DETAIL,
  R_FACTS,
  R_STATE,
  STATE_DETECTED,
  STATE_NAME_BLACKLISTED,
} from './record.ts';
import type { KnownIds } from './statuses.ts';
import { RECORD_WORDS, type Records } from './table.ts';
import type { Names } from './view.ts';

const CATEGORY_MALWARE = 100;
/** They speak without being asked, or nobody answers them (statuses.md, 6.3). */
const ONE_WAY = ['MDNS', 'Syslog', 'DHCP', 'DHCPV6', 'RTP', 'NetFlow', 'sFlow'];

/** Ids of what the conditions ask for. */
export function knownIds(names: Names): KnownIds {
  const protocol = (name: string): number => Math.max(0, names.protocols.indexOf(name));
  const detail = (name: string): number => names.details.indexOf(name);
  return {
    TLS: protocol('TLS'),
    DNS: protocol('DNS'),
    DHCP: protocol('DHCP'),
    NTP: protocol('NTP'),
    SMTP: protocol('SMTP'),
    oneWay: new Set(ONE_WAY.map(protocol).filter((id) => id !== 0)),
    hostName: detail('host_server_name'),
    tlsVersion: detail('tls.version'),
    unsafeCipher: detail('tls.unsafe_cipher'),
    serverNames: detail('tls.server_names'),
    subject: detail('tls.subject'),
    notBefore: detail('tls.not_before'),
    notAfter: detail('tls.not_after'),
  };
}

export interface Knowledge {
  /** Looks at a flow's detail block: it is new, or lists or policies have changed. */
  review(id: number): void;
}

interface Sources {
  readonly records: Records;
  readonly details: DetailArena;
  readonly ends: Ends;
  readonly names: Names;
  readonly policy: () => Policy;
}

export function createKnowledge({ records, details, ends, names, policy }: Sources): Knowledge {
  const { i32, u32 } = records;
  const hostName = names.details.indexOf('host_server_name');
  const ja3Client = names.details.indexOf('tls.ja3_client');
  const ja3Server = names.details.indexOf('tls.ja3_server');
  const ownCategory = names.details.indexOf('dpi.category');
  const categoryBytes = new Uint8Array(8);
  const categoryNumber = new DataView(categoryBytes.buffer);

  const judge = (id: number, handle: number): number => {
    const { lists, devices } = policy();
    const r = id * RECORD_WORDS;
    let facts = (u32[r + (R_FACTS >> 2)] as number) & ~(FACT_JA3_CLIENT | FACT_JA3_SERVER | FACT_DEVICE_CLIENT | FACT_DEVICE_SERVER);
    if (lists.ja3 > 0) {
      if (lists.hasJa3(details.text(handle, ja3Client))) facts |= FACT_JA3_CLIENT;
      if (lists.hasJa3(details.text(handle, ja3Server))) facts |= FACT_JA3_SERVER;
    }
    const at = details.offset(handle) >> 1;
    if (devices.size > 0 && ((i32[r + (R_STATE >> 2)] as number) & STATE_DETECTED) !== 0) {
      const app = protocolPairName(names.protocols, 0, details.u16[at + (DETAIL_APP >> 1)] as number);
      const masterId = details.u16[at + (DETAIL_MASTER >> 1)] as number;
      const master = masterId === 0 ? '' : protocolPairName(names.protocols, 0, masterId);
      if (devices.forbids(ends.deviceType(id, 0), 'client', app, master)) facts |= FACT_DEVICE_CLIENT;
      if (devices.forbids(ends.deviceType(id, 1), 'server', app, master)) facts |= FACT_DEVICE_SERVER;
    }
    u32[r + (R_FACTS >> 2)] = facts;

    const byName = lists.names > 0 ? lists.categoryOfName(details.text(handle, hostName)) : 0;
    const state = (i32[r + (R_STATE >> 2)] as number) & ~STATE_NAME_BLACKLISTED;
    i32[r + (R_STATE >> 2)] = byName === CATEGORY_MALWARE ? state | STATE_NAME_BLACKLISTED : state;
    return byName || ends.category(id);
  };

  /** Gives the block a list's category and keeps nDPI's own beside it; 0 = back to nDPI's. */
  const categorise = (id: number, handle: number, category: number): void => {
    const at = (details.offset(handle) + DETAIL_CATEGORY) >> 1;
    const isKept = details.text(handle, ownCategory) !== ''; // nDPI's own may be 0
    const own = isKept ? details.number(handle, ownCategory) : (details.u16[at] as number);
    details.u16[at] = category || own;
    if (isKept || category === 0 || category === own) return;
    categoryNumber.setFloat64(0, own, true);
    i32[id * RECORD_WORDS + (R_DETAIL >> 2)] = details.withEntry(handle, ownCategory, categoryBytes);
  };

  return {
    review(id) {
      const handle = i32[id * RECORD_WORDS + (R_DETAIL >> 2)] as number;
      if (handle !== 0) categorise(id, handle, judge(id, handle));
    },
  };
}
