/**
 * Datagrams that the kernel dropped because a socket's receive buffer was full: the last column of `/proc/net/udp` and `udp6`, in the rows
 * of our own sockets. Linux only; elsewhere nothing is known.
 *
 *   sl: local_address rem_address st tx_queue:rx_queue tr:tm->when retrnsmt uid timeout inode ref pointer drops
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const TABLES = ['/proc/net/udp', '/proc/net/udp6'] as const;
const LOCAL = 1;
const INODE = 9;
const DROPS = 12;

const rows = (): string[][] =>
  TABLES.flatMap((path) => {
    try {
      return readFileSync(path, 'latin1').trim().split('\n').slice(1);
    } catch {
      return []; // no IPv6, or no Linux
    }
  }).map((line) => line.trim().split(/\s+/));

/** Inodes of this process's sockets. */
function ownSockets(): Set<string> {
  const inodes = new Set<string>();
  let descriptors: string[] = [];
  try {
    descriptors = readdirSync('/proc/self/fd');
  } catch {
    return inodes;
  }
  for (const descriptor of descriptors) {
    try {
      const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`))?.[1];
      if (inode !== undefined) inodes.add(inode);
    } catch {
      // closed meanwhile
    }
  }
  return inodes;
}

/**
 * @param port of a UDP socket that this process has just bound
 * @returns asks for the drops since then; undefined: the system does not say
 */
export function watchKernelDrops(port: number): () => number | undefined {
  const own = ownSockets();
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = new Set(rows().flatMap((row) => (row[LOCAL].endsWith(suffix) && own.has(row[INODE]) ? [row[INODE]] : [])));
  return () => {
    const ours = rows().filter((row) => inodes.has(row[INODE]));
    return ours.length === 0 ? undefined : ours.reduce((sum, row) => sum + Number(row[DROPS]), 0);
  };
}
