/**
 * Where NetFlow and IPFIX are listened to, as given to `-i`:
 *
 *   netflow://0.0.0.0:2055   netflow://[::]   netflow://*:9995?sampling=1000&directions=ingress&buffer=64m&transport=udp
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { Directions } from './records.ts';

export type Transport = 'udp' | 'tcp' | 'both';

export interface NetflowUrl {
  readonly address: string;
  readonly port: number;
  /** TCP is for IPFIX. */
  readonly transport: Transport;
  /** Size wanted for the kernel's receive buffer, bytes. */
  readonly buffer: number;
  /** Of exporters that do not say theirs. */
  readonly samplingRate: number;
  readonly directions: Directions;
}

export const NETFLOW_PORT = 2055;
export const DEFAULT_BUFFER = 32 << 20;
const MOST_BUFFER = 2 ** 30;
const MOST_RATE = 2 ** 24;
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };
const TRANSPORTS: readonly Transport[] = ['udp', 'tcp', 'both'];
const DIRECTIONS: readonly Directions[] = ['all', 'ingress', 'egress'];

export const isNetflowUrl = (text: string): boolean => text.startsWith('netflow://');

/** @throws Error that says what is wrong with the text and how it should look */
export function parseNetflowUrl(text: string): NetflowUrl {
  const wrong = (what: string): Error =>
    new Error(`${text}: ${what}. It should look like netflow://0.0.0.0:${NETFLOW_PORT} or netflow://[::]:${NETFLOW_PORT}`);
  const parts = /^netflow:\/\/(\[[^\]]*\]|[^:/?#]*)(?::([^/?#]*))?\/?(?:\?([^#]*))?$/.exec(text);
  if (parts === null) throw wrong(text.startsWith('netflow://') ? 'not an address and a port' : 'it does not begin with netflow://');
  const [, host = '', portText, query = ''] = parts;

  const inner = host.startsWith('[') ? host.slice(1, -1) : host;
  const address = inner === '*' || inner === '' ? '::' : inner === 'localhost' ? '127.0.0.1' : inner;
  if (host.startsWith('[') ? !isIPv6(inner) : address !== '::' && !isIPv4(address)) {
    throw wrong(`"${host}" is no address of this machine: an IPv4 address, an IPv6 address in [ ], or * for all is needed`);
  }
  const port = portText === undefined ? NETFLOW_PORT : Number(portText);
  if (portText === '' || !Number.isInteger(port) || port < 0 || port > 65535) throw wrong(`"${portText}" is no port (0 to 65535)`);

  const url = { address, port, transport: 'both' as Transport, buffer: DEFAULT_BUFFER, samplingRate: 1, directions: 'all' as Directions };
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === 'transport') url.transport = oneOf(TRANSPORTS, value, name, wrong);
    else if (name === 'directions') url.directions = oneOf(DIRECTIONS, value, name, wrong);
    else if (name === 'sampling') {
      url.samplingRate = Number(value);
      if (!(url.samplingRate >= 1 && url.samplingRate <= MOST_RATE))
        throw wrong(`sampling is a number from 1 to ${MOST_RATE}, not "${value}"`);
    } else if (name === 'buffer') {
      const size = /^(\d+)([kmg]?)$/i.exec(value);
      url.buffer = size === null ? 0 : Number(size[1]) * UNITS[size[2].toLowerCase()];
      if (!(url.buffer >= 1024 && url.buffer <= MOST_BUFFER)) throw wrong(`buffer is a size from 1k to 1g, such as 64m, not "${value}"`);
    } else throw wrong(`unknown setting "${name}": there are transport, buffer, sampling and directions`);
  }
  return url;
}

function oneOf<Word extends string>(words: readonly Word[], value: string, name: string, wrong: (what: string) => Error): Word {
  const found = words.find((word) => word === value);
  if (found === undefined) throw wrong(`${name} is ${words.join(', ')}, not "${value}"`);
  return found;
}
