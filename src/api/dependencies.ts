/** What the handlers need of the program: handed to createApi by the command line, and by tests. */
import type { HostBook } from '../hosts/book.ts';
import type { Log, PatrolControl, Snapshot } from '../patrol-types.ts';
import type { PreferenceBook } from '../store/preferences.ts';

export interface ApiDependencies {
  readonly version: string;
  /** ms since 1970. */
  readonly startedAt: number;
  /** Seconds since the start, monotonic. */
  readonly uptime: () => number;
  readonly snapshot: () => Snapshot;
  readonly queryFlows: PatrolControl['queryFlows'];
  readonly listStatus: PatrolControl['listStatus'];
  readonly scripts: PatrolControl['scripts'];
  readonly preferences: PreferenceBook;
  /** For names and places of hosts in answers. */
  readonly hosts?: HostBook;
  readonly log: Log;
}
