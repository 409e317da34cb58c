/**
 * The settings of a run: made by the command line (src/cli), read by everything else, sent to threads as they are.
 * What each one means for a user stands in src/cli/options.ts.
 */
import type { ListSource } from './hosts/lists/declaration.ts';
import type { FlowQuery } from './patrol-types.ts';
import type { Preferences } from './preferences.ts';
import type { RecordedEvents } from './recording/writer.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type LogFormat = 'text' | 'json';
export type PcapCallbacks = 'protocolDetected' | 'all';

export interface Config {
  /** Network interfaces, capture files, `-` for standard input, addresses of probes and collectors; in the order given. */
  readonly interfaces: readonly string[];
  /** BPF filter text, `''` for none. */
  readonly filter: string;
  /** Addresses and networks in CIDR notation. */
  readonly localNetworks: readonly string[];
  /** Most flows at one time, per interface. */
  readonly maxFlows: number;
  /** Absolute path; without it everything stays in memory. */
  readonly dataDirectory?: string;
  readonly shutdownWhenDone: boolean;
  /** Captures are played at the speed at which they were recorded, as if they were live. */
  readonly originalSpeed: boolean;
  /** Captures are read at so many times packet time; 0 = as fast as possible. Results do not differ. */
  readonly speed: number;
  /** Packets of a flow that detection sees at most, by transport. */
  readonly dpiPackets: { readonly tcp: number; readonly udp: number };
  readonly pcapCallbacks: PcapCallbacks;
  /** Absolute paths, searched in this order; one of a file stands for that script alone. */
  readonly scriptDirectories: readonly string[];
  /** Category lists; the one given first decides where two have the same entry. */
  readonly lists: readonly ListSource[];
  /** Absolute paths of MMDB and CSV files; empty = the data that came with the installation. */
  readonly geoFiles: readonly string[];
  /** Absolute path. */
  readonly hostPools?: string;
  /** Absolute path. */
  readonly devicePolicy?: string;
  /** Absolute paths of Suricata's eve.json, or `udp:ADDRESS:PORT`. */
  readonly idsAlerts: readonly string[];
  /** Reverse DNS of hosts without a name. */
  readonly resolveNames: boolean;
  /** Time-outs of NetFlow and IPFIX exporters that do not say theirs, s. */
  readonly activeTimeout: number;
  readonly idleTimeout: number;
  /** Threads that capture one network interface. */
  readonly captureThreads: number;
  /** What holds beyond the defaults: set on the command line, and at the start of a run also what is stored (src/store). */
  readonly preferences: Partial<Preferences>;
  /** The script hosts collect ended flows for this query (`flowpatrol flows`). */
  readonly flowQuery?: FlowQuery;
  /** The script host keeps its events, what it is told and what scripts do, in a file of recording/format.ts. One interface only. */
  readonly recordTo?: { readonly path: string; readonly events: RecordedEvents; readonly version: string };
  /** Flows whose calls are traced, in the filter language; '' = all. */
  readonly traceFlows?: string;
  /** Absolute paths, or `-` for standard output (one of them at most). */
  readonly exportFlows?: string;
  readonly exportEvents?: string;
  readonly exportAlerts?: string;
  /** Bytes kept of each packet of a live capture. */
  readonly snapLength: number;
  readonly promiscuous: boolean;
  /** Kernel buffer of a live capture. */
  readonly bufferBytes: number;
  readonly openGtp: boolean;
  readonly openGre: boolean;
  readonly openVxlan: boolean;
  readonly scripts: boolean;
  /** Notifications may write files and start programs: whoever may add one may then run programs on this machine. */
  readonly localNotifications: boolean;
  /** Of titles and texts of scripts: `en`, `it`, `de`, or one that the user has added. */
  readonly language: string;
  readonly dpi: boolean;
  /** Where the web interface listens; absent: at {@link DEFAULT_WEB}, unless the run ends by itself. */
  readonly web?: WebAddress | 'none';
  /** Host names that it is called by, beside `localhost` and addresses. */
  readonly webNames: readonly string[];
  /** Absolute path of a file with the password of the user `admin`. */
  readonly passwordFile?: string;
  /** Absolute paths of PEM files, or a pair that is made; absent: HTTP. */
  readonly tls?: { readonly cert?: string; readonly key?: string; readonly selfSigned?: boolean };
  /** Largest capture that can be uploaded, bytes. */
  readonly uploadLimit: number;
  readonly logLevel: LogLevel;
  /** Absent: text on a terminal, JSON else. */
  readonly logFormat?: LogFormat;
}

export interface WebAddress {
  /** An address, or a name that stands for one. */
  readonly address: string;
  readonly port: number;
}

export const DEFAULT_WEB: WebAddress = { address: '127.0.0.1', port: 3000 };

/** What holds where nothing is said; the folder of scripts is added by the command line, which knows where the project is. */
export const DEFAULT_CONFIG: Config = {
  interfaces: [],
  filter: '',
  // RFC 1918, loopback, and their counterparts in IPv6: link-local (RFC 4291) and unique local (RFC 4193)
  localNetworks: ['192.168.0.0/16', '172.16.0.0/12', '10.0.0.0/8', '127.0.0.0/8', 'fe80::/10', 'fc00::/7', '::1'],
  maxFlows: 1_000_000,
  shutdownWhenDone: false,
  originalSpeed: false,
  speed: 0,
  dpiPackets: { tcp: 12, udp: 12 },
  pcapCallbacks: 'protocolDetected',
  scriptDirectories: [],
  lists: [],
  geoFiles: [],
  idsAlerts: [],
  resolveNames: false,
  activeTimeout: 120,
  idleTimeout: 15,
  captureThreads: 1,
  preferences: {},
  // whole packets: payload lengths and details need them, and the kernel's buffer takes only what a packet has
  snapLength: 65_535,
  promiscuous: true,
  bufferBytes: 32 << 20,
  openGtp: true,
  openGre: false,
  openVxlan: false,
  scripts: true,
  localNotifications: false,
  language: 'en',
  dpi: true,
  webNames: [],
  uploadLimit: 512 << 20,
  logLevel: 'info',
};
