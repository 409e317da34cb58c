/** One connection whose work is done in order, one piece at a time: a connection of DuckDB runs one statement. */
import type { DuckDBConnection } from '@duckdb/node-api';

export interface Held {
  readonly connection: DuckDBConnection;
  readonly release: () => void;
}

export interface Lane {
  /** @returns what the work gives, once all that came before is done */
  run<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T>;
  /** The work sees one state of the tables, from its first statement on, and writes nothing. */
  snapshot<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T>;
  /** The work runs in a transaction, which its error takes back. */
  transaction<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T>;
  /** @returns once all that came before is done; nothing that comes later begins until `release` is called */
  hold(): Promise<Held>;
  /** Waits for what runs. */
  close(): Promise<void>;
}

export function createLane(connection: DuckDBConnection): Lane {
  let last: Promise<unknown> = Promise.resolve();

  function run<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const result = last.then(() => work(connection));
    last = result.catch(() => {});
    return result;
  }

  return {
    run,
    snapshot(work) {
      const result = last.then(async () => {
        await connection.run('BEGIN');
        return work(connection);
      });
      // nobody waits for its end but the next work; after an error there may be nothing to end
      last = result.then(
        () => connection.run('COMMIT').catch(() => {}),
        () => connection.run('ROLLBACK').catch(() => {}),
      );
      return result;
    },
    transaction: (work) =>
      run(async (own) => {
        await own.run('BEGIN');
        try {
          const result = await work(own);
          await own.run('COMMIT');
          return result;
        } catch (error) {
          // a failed COMMIT has taken it back already
          await own.run('ROLLBACK').catch(() => {});
          throw error;
        }
      }),
    hold: () =>
      new Promise((resolve) => {
        void run((own) => new Promise<void>((release) => resolve({ connection: own, release })));
      }),
    async close() {
      await run(async () => {});
      connection.closeSync();
    },
  };
}
