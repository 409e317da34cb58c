/** What the handlers need of the program: handed to createApi by the command line, and by tests. What is not there has no routes. */
import type { Exclusions } from '../alerts/exclusions.ts';
import type { AlertIntake } from '../alerts/intake.ts';
import type { HostBook } from '../hosts/book.ts';
import type { Notifier } from '../notify/notifier.ts';
import type { Log, PatrolControl, Snapshot } from '../patrol-types.ts';
import type { Access } from '../server/access.ts';
import type { Accounts } from '../server/accounts.ts';
import type { AuditLog } from '../server/audit.ts';
import type { Hub } from '../server/hub.ts';
import type { ScriptTest } from '../server/script-test.ts';
import type { Uploads } from '../server/uploads.ts';
import type { History } from '../store/history.ts';
import type { PreferenceBook } from '../store/preferences.ts';
import type { Who } from './roles.ts';

/** Something that was changed, or tried to be. */
export interface Deed {
  readonly who: Who;
  /** `PUT /preferences/flow_max_idle` */
  readonly action: string;
  /** The body, without passwords. */
  readonly detail: string;
  /** `done`, or the code of the problem. */
  readonly outcome: string;
}

export interface ApiDependencies {
  readonly version: string;
  /** ms since 1970. */
  readonly startedAt: number;
  /** Seconds since the start, monotonic. */
  readonly uptime: () => number;
  readonly snapshot: () => Snapshot;
  readonly queryFlows: PatrolControl['queryFlows'];
  readonly queryHosts: PatrolControl['queryHosts'];
  /** Pauses captures, sets their speed. */
  readonly regulate?: PatrolControl['regulate'];
  readonly listStatus: PatrolControl['listStatus'];
  readonly scripts: PatrolControl['scripts'];
  /** Runs the script of a path on the capture in a file. */
  readonly testScript?: (script: string, capture: string) => Promise<ScriptTest>;
  readonly preferences: PreferenceBook;
  /** For names and places of hosts in answers. */
  readonly hosts?: HostBook;
  readonly log: Log;
  /** Takes what was changed by whom. */
  readonly audit?: (deed: Deed) => void;
  /** Users, sessions, tokens. */
  readonly accounts?: Accounts;
  /** The way in over the network. */
  readonly access?: Access;
  readonly auditLog?: AuditLog;
  /** Flows, alerts and figures of the past. */
  readonly history?: History;
  /** What people say about alerts. */
  readonly alerts?: AlertIntake;
  readonly exclusions?: Exclusions;
  readonly notifier?: Notifier;
  /** What streams carry. */
  readonly hub?: Hub;
  /** Captures that are given to a running flowpatrol. */
  readonly uploads?: Uploads;
}
