/** What a thread needs for a book of hosts, from the configuration. Called by the main thread. */
import { readFileSync } from 'node:fs';
import type { Config } from '../config.ts';
import type { HostData } from './host-book.ts';
import { systemAddresses } from './system.ts';

/** @throws when the file of pools cannot be read */
export const hostData = ({ geoFiles, hostPools }: Pick<Config, 'geoFiles' | 'hostPools'>): HostData => ({
  geoFiles,
  ...(hostPools === undefined ? {} : { pools: { text: readFileSync(hostPools, 'utf8'), file: hostPools } }),
  systemAddresses: systemAddresses(),
});
