/**
 * Host pools: hosts that a person put together under a name. Text of a file in, pool of a host out. Called by the book of hosts.
 *
 *   # comment
 *   [Servers]
 *   10.0.0.0/24, 10.0.7.9
 *   2001:db8:7::/48
 *   [Printers]
 *   00:80:77:12:34:56
 *
 * Pools have the numbers 1, 2, … in the order of their first heading. A MAC address wins over networks, a longer network over a
 * shorter one. A heading may come again and goes on with its pool.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { Pool } from './book.ts';
import { createPrefixSet, parseIPv4, parseIPv6 } from './prefixes.ts';

export interface Pools {
  /** @param mac offset of 6 bytes in `bytes`; zeros if unknown */
  pool(bytes: Uint8Array, at: number, ipv6: boolean, mac: number): Pool;
  /** By number; the default pool is the first. */
  readonly pools: readonly Pool[];
}

/** The pool of every host that no line names. */
export const DEFAULT_POOL: Pool = { id: 0, name: 'Default' };

/** Characters of a pool's name. */
const LONGEST_NAME = 64;
const MAC = /^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}$/i;

const macNumber = (text: string): number => Number.parseInt(text.replace(/[:-]/g, ''), 16);

/** A network without its host bits, one text for all ways to write it; undefined for what is none. */
function networkKey(text: string): string | undefined {
  const [address = '', bits] = text.split('/');
  const four = isIPv4(address);
  if (!four && !isIPv6(address)) return undefined;
  const whole = four ? BigInt(parseIPv4(address)) : BigInt(`0x${Buffer.from(parseIPv6(address)).toString('hex')}`);
  const longest = four ? 32 : 128;
  const length = bits === undefined ? longest : Number(bits);
  return `${longest}/${length}/${whole >> BigInt(longest - length)}`;
}

/**
 * @param text content of the file
 * @param file its name, for errors
 * @throws Error with `file:line` for a line that cannot be read or that names a host twice
 */
export function createPools(text: string, file: string): Pools {
  const pools: Pool[] = [DEFAULT_POOL];
  const networks = createPrefixSet();
  /** Pool of each network, by its position in the set. */
  const networkPools: Pool[] = [];
  const macs = new Map<number, Pool>();
  const seen = new Map<string, string>();
  let current: Pool | undefined;

  for (const [index, line] of text.split('\n').entries()) {
    const where = `${file}:${index + 1}`;
    const fail = (problem: string): never => {
      throw new Error(`${where}: ${problem}`);
    };
    const content = line.replace(/#.*$/, '').trim();
    if (content === '') continue;
    if (content.startsWith('[')) {
      const name = /^\[([^[\]]*)\]$/.exec(content)?.[1]?.trim();
      if (name === undefined || name === '') return fail(`"${content}" is no heading; write [name]`);
      if (name.length > LONGEST_NAME) return fail(`the name of a pool has at most ${LONGEST_NAME} characters`);
      if (name.toLowerCase() === 'default') return fail(`"${name}" is pool 0, of all hosts that are in no other pool; take another name`);
      const latin1 = Buffer.from(name, 'utf8').toString('latin1');
      current = pools.find((pool) => pool.name === latin1);
      if (current === undefined) pools.push((current = { id: pools.length, name: latin1 }));
      continue;
    }
    if (current === undefined) return fail('no pool before this line; write a heading such as [Servers] first');
    for (const member of content.split(/[\s,]+/)) {
      if (member === '') continue;
      let key: string;
      if (MAC.test(member)) {
        key = `mac ${macNumber(member)}`;
        if (!seen.has(key)) macs.set(macNumber(member), current);
      } else if (networks.add(member)) {
        key = networkKey(member) as string;
        networkPools.push(current);
      } else {
        return fail(`"${member}" is no network (10.0.0.0/24), address (10.0.0.7) or MAC address (00:80:77:12:34:56)`);
      }
      const before = seen.get(key);
      if (before !== undefined) return fail(`"${member}" was put into a pool before, at ${before}; remove one of the two`);
      seen.set(key, where);
    }
  }

  return {
    pools,
    pool(bytes, at, ipv6, mac) {
      if (macs.size > 0) {
        const high = ((bytes[mac] as number) << 16) | ((bytes[mac + 1] as number) << 8) | (bytes[mac + 2] as number);
        const low = ((bytes[mac + 3] as number) << 16) | ((bytes[mac + 4] as number) << 8) | (bytes[mac + 5] as number);
        const pool = macs.get(high * 2 ** 24 + low);
        if (pool !== undefined) return pool;
      }
      if (networks.size === 0) return DEFAULT_POOL;
      const position = ipv6
        ? networks.match6(bytes, at)
        : networks.match4(
            ((bytes[at] as number) << 24) |
              ((bytes[at + 1] as number) << 16) |
              ((bytes[at + 2] as number) << 8) |
              (bytes[at + 3] as number),
          );
      return networkPools[position] ?? DEFAULT_POOL;
    },
  };
}
