/** `cli.*` and `srv.*`: the two ends of the flow. */
import { R_MAC0, R_MAC1, R_NET0, R_NET1, STATE_CLIENT_BLACKLISTED, STATE_SERVER_BLACKLISTED } from '../record.ts';
import type { EventView } from '../view.ts';
import { bool, type Declared, group, int, string } from './field.ts';

interface End {
  readonly prefix: 'cli' | 'srv';
  readonly name: 'client' | 'server';
  readonly address: (view: EventView) => string;
  readonly word: (view: EventView, index: number) => number;
  readonly port: (view: EventView) => number;
  readonly mac: number;
  readonly network: number;
  readonly blacklisted: number;
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

const end = (of: End): Declared[] => {
  const { prefix, name } = of;
  return [
    string(`${prefix}.ip`, `address of the ${name}: dotted IPv4, or IPv6 as in RFC 5952`, of.address),
    int(`${prefix}.key`, 'IPv4: the address as a number; IPv6: the sum of its four 32-bit words as they lie in memory, mod 2^32', (view) =>
      hostKey(view, of),
    ),
    int(`${prefix}.vlan`, 'VLAN of the flow', (view) => view.vlan() || undefined, { when: 'the VLAN is not 0' }),
    int(`${prefix}.port`, `port of the ${name}, 0 without ports`, of.port),
    bool(`${prefix}.allowed_host`, 'may be seen by the reader; always true for scripts', () => true),
    string(`${prefix}.host`, 'learned name, empty if there is none', () => ''),
    int(`${prefix}.source_id`, 'always 0', () => 0),
    string(`${prefix}.mac`, 'MAC address at the first packet, upper case; zeros if unknown', (view) => mac(view, of.mac)),
    bool(`${prefix}.systemhost`, 'is the machine that runs the monitor', () => false),
    bool(`${prefix}.blacklisted`, 'the address is on a blacklist', (view) => (view.state() & of.blacklisted) !== 0),
    int(`${prefix}.network_id`, 'number of the local network that has the address, -1 if it is remote', (view) => view.u8(of.network) - 1),
    string(`${prefix}.network`, 'the local network that has the address', (view) => view.names.localNetworks[view.u8(of.network) - 1], {
      when: 'the address is local',
      ours: true,
    }),
    bool(`${prefix}.localhost`, 'the address is in a local network', (view) => view.u8(of.network) !== 0),
    int(`${prefix}.pool_id`, 'host pool, 0 = the default pool', () => 0),
    bool(`${prefix}.private`, 'IPv4 in 10/8, 172.16/12, 192.168/16 or 127/8', (view) => isPrivate(view, of)),
  ];
};

export const ENDPOINTS = group('endpoints', [...end(CLIENT), ...end(SERVER)]);
