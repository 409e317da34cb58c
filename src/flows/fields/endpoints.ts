/** `cli.*` and `srv.*`: the two ends of the flow. */
import type { HostFacts, Pool } from '../../hosts/book.ts';
import { R_MAC0, R_MAC1, R_NET0, R_NET1, STATE_CLIENT_BLACKLISTED, STATE_SERVER_BLACKLISTED } from '../record.ts';
import type { DetailName, EventView } from '../view.ts';
import { whole } from './detail.ts';
import { absent, bool, type Declared, each, float, group, int, string } from './field.ts';

interface End {
  readonly prefix: 'cli' | 'srv';
  readonly name: 'client' | 'server';
  readonly address: (view: EventView) => string;
  readonly word: (view: EventView, index: number) => number;
  readonly port: (view: EventView) => number;
  readonly mac: number;
  readonly network: number;
  readonly blacklisted: number;
  readonly facts: (view: EventView) => HostFacts;
  readonly pool: (view: EventView) => Pool;
  readonly vendor: (view: EventView) => string;
  readonly device: (view: EventView) => number;
  /** Detail that tells the operating system. */
  readonly os?: DetailName;
}

const CLIENT: End = {
  prefix: 'cli',
  name: 'client',
  address: (view) => view.client(),
  word: (view, index) => view.clientWord(index),
  port: (view) => view.clientPort(),
  mac: R_MAC0,
  network: R_NET0,
  blacklisted: STATE_CLIENT_BLACKLISTED,
  facts: (view) => view.clientFacts(),
  pool: (view) => view.clientPool(),
  vendor: (view) => view.clientVendor(),
  device: (view) => view.clientDevice(),
  os: 'http.os',
};
const SERVER: End = {
  prefix: 'srv',
  name: 'server',
  address: (view) => view.server(),
  word: (view, index) => view.serverWord(index),
  port: (view) => view.serverPort(),
  mac: R_MAC1,
  network: R_NET1,
  blacklisted: STATE_SERVER_BLACKLISTED,
  facts: (view) => view.serverFacts(),
  pool: (view) => view.serverPool(),
  vendor: (view) => view.serverVendor(),
  device: (view) => view.serverDevice(),
};

/** IPv4: the address as a number. IPv6: the sum of its four words as they lie in memory, mod 2^32. */
const hostKey = (view: EventView, { word }: End): number =>
  view.isIpv6() ? (word(view, 0) + word(view, 1) + word(view, 2) + word(view, 3)) % 2 ** 32 : word(view, 0);

const swap16 = (port: number): number => ((port & 0xff) << 8) | (port >> 8);

/** ntopng's hash key: both ports in network byte order, VLAN, IP protocol and both host keys, added mod 2^32. */
export const flowKey = (view: EventView): number =>
  (swap16(view.clientPort()) + swap16(view.serverPort()) + view.vlan() + view.l4() + hostKey(view, CLIENT) + hostKey(view, SERVER)) %
  2 ** 32;

/** 10/8, 172.16/12, 192.168/16 (RFC 1918) and 127/8; IPv6 never, as in ntopng. */
const isPrivate = (view: EventView, { word }: End): boolean => {
  if (view.isIpv6()) return false;
  const address = word(view, 0);
  const net8 = address >>> 24;
  return net8 === 10 || net8 === 127 || address >>> 20 === 0xac1 || address >>> 16 === 0xc0a8;
};

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).toUpperCase().padStart(2, '0'));
const mac = (view: EventView, at: number): string => {
  let text = HEX[view.u8(at)] as string;
  for (let i = 1; i < 6; i++) text += `:${HEX[view.u8(at + i)]}`;
  return text;
};

/** A name with the mark that ntopng gives to names of IPv6 hosts. */
const hostName = (view: EventView, of: End): string => {
  const { name } = of.facts(view);
  return name !== '' && view.isIpv6() ? `${name} [IPv6]` : name;
};

/** 224/4 (RFC 5771), 255.255.255.255 (RFC 919), ff00::/8 (RFC 4291, 2.7); the broadcast address of a subnet looks like any other. */
const isGroup = (view: EventView, { word }: End): boolean => {
  const first = word(view, 0);
  return view.isIpv6() ? (first & 0xff) === 0xff : first >>> 28 === 14 || first === 0xffffffff;
};

const end = (of: End): Declared[] => {
  const { prefix, name, facts } = of;
  const upper = of === CLIENT ? 'Client' : 'Server';
  return [
    ...each({ getter: `get${upper}Ip`, level: 'normal' }, [
      string(`${prefix}.ip`, `address of the ${name}: dotted IPv4, or IPv6 as in RFC 5952`, of.address, {
        column: { title: upper, width: 15, shown: true },
      }),
      int(
        `${prefix}.key`,
        'IPv4: the address as a number; IPv6: the sum of its four 32-bit words as they lie in memory, mod 2^32',
        (view) => hostKey(view, of),
      ),
      int(`${prefix}.vlan`, 'VLAN of the flow', (view) => view.vlan() || undefined, { when: 'the VLAN is not 0' }),
    ]),
    int(`${prefix}.port`, `port of the ${name}, 0 without ports`, of.port, {
      getter: `get${upper}Port`,
      level: 'normal',
      column: { title: `${upper} port`, width: 5, shown: true },
    }),
    bool(`${prefix}.allowed_host`, 'may be seen by the reader; always true for scripts', () => true),
    ...each({ getter: `get${upper}Info` }, [
      string(`${prefix}.host`, 'learned name, with ` [IPv6]` behind it for IPv6; empty if there is none', (view) => hostName(view, of), {
        column: { title: `${upper} name`, width: 24, shown: true },
      }),
      int(`${prefix}.source_id`, 'always 0', () => 0),
      string(`${prefix}.mac`, 'MAC address at the first packet, upper case; zeros if unknown', (view) => mac(view, of.mac), {
        column: { title: `${upper} MAC`, width: 17 },
      }),
      bool(`${prefix}.systemhost`, 'is the machine that runs the monitor', (view) => facts(view).systemHost),
      bool(`${prefix}.blacklisted`, 'the address is on a blacklist', (view) => (view.state() & of.blacklisted) !== 0),
      int(
        `${prefix}.network_id`,
        'number of the local network that has the address, -1 if it is remote',
        (view) => view.u8(of.network) - 1,
      ),
      int(`${prefix}.pool_id`, 'host pool, 0 = the default pool', (view) => of.pool(view).id),
      bool(`${prefix}.private`, 'IPv4 in 10/8, 172.16/12, 192.168/16 or 127/8', (view) => isPrivate(view, of)),
    ]),
    string(`${prefix}.network`, 'the local network that has the address', (view) => view.names.localNetworks[view.u8(of.network) - 1], {
      when: 'the address is local',
      ours: true,
      column: { title: `${upper} network`, width: 18 },
    }),
    string(`${prefix}.pool`, 'name of the host pool', (view) => of.pool(view).name, {
      ours: true,
      column: { title: `${upper} pool`, width: 12 },
    }),
    string(`${prefix}.vendor`, 'maker of the network card by its MAC address, empty if unknown', of.vendor, {
      ours: true,
      column: { title: `${upper} vendor`, width: 16 },
    }),
    ...each({ getter: `get${upper}Geolocation`, level: 'higher' }, [
      float(`${prefix}.latitude`, 'where the address is, 0 if unknown', (view) => facts(view).latitude, { unit: 'degrees' }),
      float(`${prefix}.longitude`, 'where the address is, 0 if unknown', (view) => facts(view).longitude, { unit: 'degrees' }),
    ]),
    ...each({ getter: `get${upper}Geolocation`, level: 'max' }, [
      string(`${prefix}.country`, 'country of the address, ISO 3166 in two letters, empty if unknown', (view) => facts(view).country, {
        column: { title: `${upper} country`, width: 2 },
      }),
      string(`${prefix}.city`, 'city of the address, empty if unknown', (view) => facts(view).city, {
        column: { title: `${upper} city`, width: 16 },
      }),
    ]),
    ...each({ since: '4.0' }, [
      bool(`${prefix}.localhost`, 'the address is in a local network', (view) => view.u8(of.network) !== 0),
      bool(`${prefix}.broadmulticast`, 'the address is one for broadcast or multicast', (view) => isGroup(view, of)),
      int(`${prefix}.asn`, 'autonomous system that announces the address, 0 if unknown', (view) => facts(view).asn, {
        column: { title: `${upper} AS`, width: 6 },
      }),
      string(`${prefix}.os`, of.os === undefined ? 'always empty' : 'operating system by the browser, empty if unknown', (view) =>
        of.os === undefined ? '' : (view.text(of.os) ?? ''),
      ),
      int(`${prefix}.devtype`, 'type of the device by the policy of the user, 0 = unknown', of.device),
    ]),
    string(`${prefix}.as_name`, 'organisation of the autonomous system, empty if unknown', (view) => facts(view).asName, {
      ours: true,
      column: { title: `${upper} AS name`, width: 20 },
    }),
    string(`${prefix}.quota_source`, 'policy that set the quota of the host', absent, {
      when: 'the monitor is inline (nEdge)',
      never: true,
    }),
  ];
};

/** Autonomous systems of both ends: what the exporter says, which knows private ones, goes before what is known of the address. */
const systems = each({ since: '4.2', when: 'the autonomous system is known' }, [
  int(
    'src_as',
    'autonomous system of the client as the exporter says it, else `cli.asn`',
    (view) => whole(view, 'src_as') ?? (view.clientFacts().asn || undefined),
  ),
  int(
    'dst_as',
    'autonomous system of the server as the exporter says it, else `srv.asn`',
    (view) => whole(view, 'dst_as') ?? (view.serverFacts().asn || undefined),
  ),
]);

export const ENDPOINTS = group('endpoints', [...end(CLIENT), ...end(SERVER), ...systems]);
