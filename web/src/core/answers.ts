/** What the programming interface answers. Made by `node test/web/answer-types.ts` of the schemas in src/api; do not edit. */
// biome-ignore format: made
export interface Answers {
  readonly 'GET /session': {
    readonly name: string;
    readonly role: 'viewer' | 'operator' | 'admin';
    readonly via: 'session' | 'token' | 'socket';
    /** for the header X-CSRF-Token; empty without a session */
    readonly csrf: string;
  };
  readonly 'GET /status': {
    readonly version: string;
    readonly started: string;
    /** s */
    readonly uptime: number;
    readonly interfaces: readonly ({
      readonly id: number;
      /** as given to -i */
      readonly name: string;
      readonly kind: 'packet' | 'pcap' | 'zmq' | 'netflow' | 'sflow';
      readonly state: 'starting' | 'running' | 'lost' | 'ended' | 'failed';
      readonly error?: string;
      readonly warning?: string;
      /** time of the traffic; 0 = no packet yet, µs since 1970 */
      readonly clock: number;
      readonly packets: number;
      readonly bytes: number;
      readonly flows: number;
      readonly activeFlows: number;
      readonly alerts: number;
      readonly losses: number;
    })[];
    /** those of the run as a whole name no interface */
    readonly losses: readonly ({
      readonly name: string;
      readonly help: string;
      readonly value: number;
      readonly interface?: string;
    })[];
  };
  readonly 'GET /fields': {
    readonly fields: readonly ({
      readonly key: string;
      readonly type: string;
      readonly unit?: string;
      readonly doc: string;
      readonly group: string;
      readonly when?: string;
      readonly column?: {
        readonly title: string;
        readonly width: number;
        readonly shown?: boolean;
      };
      readonly sortable: boolean;
    })[];
    readonly statuses: readonly ({
      readonly id: number;
      readonly name: string;
      readonly title: string;
      readonly alertType: string;
      readonly severity: string;
    })[];
    readonly alertTypes: readonly (string)[];
    readonly severities: readonly (string)[];
    readonly callbacks: readonly (string)[];
    /** of interfaces */
    readonly counters: readonly ({
      readonly name: string;
      readonly help: string;
    })[];
    /** all names of the filter language, in the order in which they are offered; one can mean different things */
    readonly filterNames: readonly ({
      readonly name: string;
      /** kind of its values */
      readonly type: string;
      readonly doc: string;
      /** filters that may use it */
      readonly of: readonly ('flows' | 'history' | 'alerts')[];
    })[];
    /** by type; without any its presence is all that can be asked */
    readonly filterOperators: Readonly<Record<string, readonly (string)[]>>;
  };
  readonly 'GET /flows/{id}': {
    readonly live: boolean;
    /** The fields of a flow (GET /fields) that it has, and `interface`, the name of its interface. */
    readonly flow: Readonly<Record<string, unknown>>;
    readonly alerts: readonly ({
      /** of the visit, µs since 1970 */
      readonly time: number;
      readonly interface: string;
      readonly type: string;
      readonly severity: 'debug' | 'info' | 'notice' | 'warning' | 'error' | 'critical' | 'alert' | 'emergency';
      readonly score: number;
      readonly script: string;
      readonly version: string;
      readonly callback: string;
      readonly visit: number;
      readonly statusBefore: number;
      readonly status: number;
      readonly forStatus: number;
      /** The fields of a flow (GET /fields) that it has, and `interface`, the name of its interface. */
      readonly flow: Readonly<Record<string, unknown>>;
      readonly info?: unknown;
      readonly reason: Readonly<Record<string, unknown>>;
      readonly shadow: boolean;
      readonly title: string;
      readonly description: string;
      /** version of this shape */
      readonly schema: number;
      readonly id: string;
      readonly count: number;
      /** of the first one that it stands for, µs since 1970 */
      readonly firstTime: number;
      /** of the last one, µs since 1970 */
      readonly lastTime: number;
      /** traffic of the flows of all of them */
      readonly bytes: number;
      readonly packets: number;
      readonly secondary: boolean;
      readonly state: 'new' | 'acknowledged' | 'closed';
      readonly by: string;
      readonly comment: string;
      /** when they did; 0 = never, µs since 1970 */
      readonly changed: number;
    })[];
    readonly traces: readonly ({
      readonly flow: string;
      readonly label: string;
      readonly visit: number;
      readonly time: number;
      readonly callback: 'protocolDetected' | 'statusChanged' | 'periodicUpdate' | 'idle';
      readonly statusBefore: number;
      readonly status: number;
      readonly scripts: readonly (unknown)[];
      readonly interface: string;
    })[];
  };
  readonly 'GET /hosts': {
    readonly hosts: readonly ({
      readonly address: string;
      readonly interface: string;
      readonly vlan: number;
      readonly name: string;
      readonly country: string;
      readonly local: boolean;
      readonly flows: number;
      /** flows that it began */
      readonly asClient: number;
      readonly asServer: number;
      /** bytes */
      readonly sent: number;
      /** bytes */
      readonly received: number;
      readonly bytes: number;
      /** sum of the scores of its flows */
      readonly score: number;
    })[];
    readonly total: number;
    readonly complete: boolean;
  };
  readonly 'GET /history/flows': {
    /** that match, whatever the page */
    readonly total: number;
    readonly flows: readonly ({
      readonly time: number;
      readonly interface: string;
      readonly ended: boolean;
      /** The fields of a flow (GET /fields) that it has, and `interface`, the name of its interface. */
      readonly flow: Readonly<Record<string, unknown>>;
    })[];
  };
  readonly 'GET /history/top': {
    readonly top: readonly ({
      readonly value: unknown;
      readonly sum: number;
    })[];
  };
  readonly 'GET /history/series': {
    readonly points: readonly ({
      readonly time: number;
      readonly interface: string;
      readonly name: string;
      readonly value: number;
    })[];
  };
  readonly 'GET /alerts/groups': {
    /** groups that there are, whatever the page */
    readonly total: number;
    readonly groups: readonly ({
      /** none: alerts that have none */
      readonly value?: string | number;
      /** which alerts these are: a line of the filter language */
      readonly filter: string;
      /** alerts, however many each of them stands for */
      readonly count: number;
      /** with what each of them stands for */
      readonly raised: number;
      /** of the first one, µs since 1970 */
      readonly firstTime: number;
      /** of the last one, µs since 1970 */
      readonly lastTime: number;
      /** the highest */
      readonly score: number;
      /** the strongest */
      readonly severity: 'debug' | 'info' | 'notice' | 'warning' | 'error' | 'critical' | 'alert' | 'emergency';
      /** how many there are of each severity */
      readonly severities: Readonly<Record<string, number>>;
    })[];
  };
  readonly 'GET /notifications': {
    readonly notifications: readonly ({
      readonly id: number;
      readonly name: string;
      readonly kind: 'webhook' | 'mail' | 'syslog' | 'chat' | 'file' | 'command';
      readonly enabled: boolean;
      readonly filter: string;
      /** s */
      readonly pause: number;
      readonly settings: Readonly<Record<string, unknown>>;
      /** why it takes no alerts */
      readonly broken?: string;
      readonly counters: Readonly<Record<string, number>>;
      readonly waiting: number;
      readonly error?: string;
      /** ms since 1970 */
      readonly deliveredAt?: number;
      /** ms since 1970 */
      readonly againAt?: number;
    })[];
    readonly kinds: readonly ({
      readonly kind: string;
      readonly title: string;
      readonly pause: number;
      readonly settings: readonly ({
        readonly name: string;
        readonly type: string;
        readonly doc: string;
        readonly secret: boolean;
        readonly required: boolean;
        readonly default?: string | number;
        readonly choices?: readonly (string)[];
        readonly from?: number;
        readonly to?: number;
        readonly like?: string;
      })[];
    })[];
  };
  readonly 'GET /dead-letters': {
    readonly total: number;
    readonly letters: readonly ({
      readonly id: number;
      readonly endpoint: number;
      /** ms since 1970 */
      readonly time: number;
      readonly alerts: readonly (string)[];
      readonly attempts: number;
      readonly error: string;
    })[];
  };
  readonly 'POST /scripts/{key}/test': {
    readonly alerts: readonly ({
      /** of the visit, µs since 1970 */
      readonly time: number;
      readonly interface: string;
      readonly type: string;
      readonly severity: 'debug' | 'info' | 'notice' | 'warning' | 'error' | 'critical' | 'alert' | 'emergency';
      readonly score: number;
      readonly script: string;
      readonly version: string;
      readonly callback: string;
      readonly visit: number;
      readonly statusBefore: number;
      readonly status: number;
      readonly forStatus: number;
      /** The fields of a flow (GET /fields) that it has, and `interface`, the name of its interface. */
      readonly flow: Readonly<Record<string, unknown>>;
      readonly info?: unknown;
      readonly reason: Readonly<Record<string, unknown>>;
      readonly shadow: boolean;
      readonly title: string;
      readonly description: string;
    })[];
    /** also those that are not told: only the first are */
    readonly raised: number;
    /** what it printed, and its failures */
    readonly lines: readonly (string)[];
    readonly stats: Readonly<Record<string, {
      readonly calls: number;
      readonly failures: number;
      readonly failed: Readonly<Record<string, number>>;
      readonly skipped: Readonly<Record<string, number>>;
      readonly cpuUs: number;
      readonly meanUs: number;
      readonly p99Us: number;
    }>>;
    /** why the script could not be loaded, or the capture not be read */
    readonly error?: string;
    readonly flows: number;
  };
  readonly 'GET /users': {
    readonly users: readonly ({
      readonly name: string;
      readonly role: 'viewer' | 'operator' | 'admin';
      /** ms since 1970 */
      readonly created: number;
    })[];
  };
  readonly 'GET /tokens': {
    readonly tokens: readonly ({
      readonly id: string;
      readonly name: string;
      readonly user: string;
      readonly role: 'viewer' | 'operator' | 'admin';
      /** ms since 1970 */
      readonly created: number;
      readonly expires?: number;
      readonly lastUsed?: number;
    })[];
  };
  readonly 'GET /audit': {
    readonly entries: readonly ({
      readonly id: number;
      /** ms since 1970 */
      readonly time: number;
      readonly user: string;
      readonly via: string;
      readonly address: string;
      readonly action: string;
      readonly detail: string;
      /** `done`, or the code of the problem */
      readonly outcome: string;
    })[];
  };
}
