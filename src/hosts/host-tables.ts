/**
 * The large tables of a book of hosts, for threads that may not pause: read once per program in a thread of its own, at the first question
 * that wants such a book, into shared memory.
 *
 *   main ──► tables-worker.ts ──HostTables──► main ──HostData.tables──► interface threads
 *
 * Called by the main thread.
 */
import { Worker } from 'node:worker_threads';
import { type ReadyFile, readGeo } from './geo.ts';
import type { HostData } from './host-book.ts';
import { readVendors, type VendorTable } from './vendors.ts';

export interface HostTables {
  readonly geo: readonly ReadyFile[];
  readonly vendors: VendorTable;
}

type Sources = Pick<HostData, 'geoFiles' | 'geoOff'>;

/** Reads it all: some tenths of a second. */
export const readHostTables = ({ geoFiles, geoOff = false }: Sources): HostTables => ({
  geo: readGeo({ files: geoFiles, off: geoOff }),
  vendors: readVendors(),
});

/** Resolves always; with `undefined` when the thread that reads has failed: then each book reads for itself. Keeps no process alive. */
export type TableReading = () => Promise<HostTables | undefined>;

/**
 * @param failed told why, once
 * @param start for tests
 */
export function createTableReading(
  { geoFiles, geoOff }: Sources,
  failed: (reason: string) => void,
  start = (): Worker => new Worker(new URL('./tables-worker.ts', import.meta.url), { workerData: { geoFiles, geoOff } }),
): TableReading {
  const read = (): Promise<HostTables | undefined> =>
    new Promise((resolve) => {
      let over = false;
      const end = (tables: HostTables | undefined, reason: string): void => {
        if (over) return;
        over = true;
        if (tables === undefined) failed(reason);
        resolve(tables);
      };
      try {
        start()
          .once('message', (tables: HostTables) => end(tables, ''))
          .once('error', ({ message }) => end(undefined, message))
          .once('exit', () => end(undefined, 'its thread has ended'))
          .unref();
      } catch (error) {
        end(undefined, (error as Error).message);
      }
    });
  let reading: ReturnType<typeof read> | undefined;
  return () => (reading ??= read());
}
