/**
 * The history: flows that have ended or are long-lived, alerts, and figures over time. One shape for every store (a conformance suite
 * holds them to it: test/store/history-suite.ts); embedded it is DuckDB (duckdb/history.ts), without a data directory memory.
 *
 *   script hosts, alert intake ──append──► History ──query──► programming interface, pages, exports
 */
import type { Alert, AlertState, Severity } from '../alerts/alert.ts';
import type { FieldValue } from '../flows/fields.ts';
import type { EventView } from '../flows/view.ts';
import type { AlertGrouping, AlertGroupSort } from './history-checks.ts';

export type FlowRow = Readonly<Record<string, FieldValue>>;

/** A part of the life of a flow: its whole, or what there was of it after five more minutes. The last one of a flow id counts. */
export interface FlowEntry {
  /** µs since 1970. */
  readonly time: number;
  readonly interface: string;
  readonly ended: boolean;
  /** The keys of `info`. */
  readonly flow: FlowRow;
  /** Where `flow` is read from, as long as the entry has not been stored: a store may read single fields instead. */
  readonly event?: FlowEvent;
}

/** A lifecycle event, and the view of its interface. */
export interface FlowEvent {
  readonly view: EventView;
  readonly bytes: Uint8Array;
  readonly at: number;
}

/** An entry that keeps nothing but its values, and can be sent to other threads. */
export const plainEntry = ({ time, interface: name, ended, flow }: FlowEntry): FlowEntry => ({ time, interface: name, ended, flow });

export interface Page {
  /** 1 to 10,000. */
  readonly limit: number;
  readonly offset: number;
}

/** Which flows or alerts are meant. */
export interface Scope {
  /** In the filter language (src/filter), '' = all. */
  readonly filter: string;
  /** Its name, as given to -i; all without it. */
  readonly interface?: string;
  /** µs since 1970; both ends inclusive. */
  readonly from?: number;
  readonly to?: number;
}

export interface HistoryQuery extends Scope, Page {
  /** A field, `time` of the entry, or for alerts a member of {@link Alert}. */
  readonly sort: string;
  readonly descending: boolean;
}

/** A page whose rows have some keys alone; all without `fields`. */
export interface FieldsQuery extends HistoryQuery {
  readonly fields?: readonly string[];
}

export interface AlertScope extends Scope {
  readonly states?: readonly AlertState[];
  readonly shadow?: boolean;
}

export interface AlertQuery extends AlertScope, HistoryQuery {}

/** The groups with most of what `sort` names come first. */
export interface AlertGroupsQuery extends AlertScope, Page {
  readonly by: AlertGrouping;
  readonly sort: AlertGroupSort;
}

/** Alerts that have the same value of what they are grouped by. */
export interface AlertGroup {
  /** Without it: those that have none. */
  readonly value?: string | number;
  /** Alerts, however many each of them stands for. */
  readonly count: number;
  /** With what each of them stands for. */
  readonly raised: number;
  /** µs since 1970: of the first and the last that any of them stands for. */
  readonly firstTime: number;
  readonly lastTime: number;
  /** The highest. */
  readonly score: number;
  /** The strongest. */
  readonly severity: Severity;
  /** Alerts of each severity that there is. */
  readonly severities: Readonly<Partial<Record<Severity, number>>>;
}

export interface Rows<T> {
  readonly rows: readonly T[];
  /** That match, whatever the page. */
  readonly total: number;
}

export interface TopQuery extends Scope {
  /** Field to group by: `cli.ip`, `srv.ip`, `proto.ndpi`, `srv.country` … */
  readonly by: string;
  /** What is summed: `bytes`, `packets`, or `flows`. */
  readonly of: 'bytes' | 'packets' | 'flows';
  readonly limit: number;
}

export interface SeriesQuery {
  /** Name of the figure: `bytes`, `packets`, `flows`, `alerts`, or with a label `protocol:TLS`. */
  readonly names: readonly string[];
  readonly interface?: string;
  /** Of flows that match alone: sums of entries at their times, of `bytes`, `packets` and `flows`. Without it what interfaces counted. */
  readonly filter?: string;
  readonly from: number;
  readonly to: number;
  /** Points wanted at most; the store picks the roll-up. */
  readonly points: number;
}

export interface SeriesPoint {
  readonly time: number;
  readonly interface: string;
  readonly name: string;
  /** Sum of what came in the step. */
  readonly value: number;
}

export type ExportFormat = 'csv' | 'jsonl' | 'parquet';

export interface Retention {
  /** s; older entries go. */
  readonly seconds: number;
  /** Rows of alerts, bytes on disk of all. */
  readonly mostAlerts: number;
  readonly mostBytes: number;
}

export interface History {
  appendFlows(flows: readonly FlowEntry[]): Promise<void>;
  /** Puts alerts, or replaces those of the same id. When it resolves they are on disk: what was shown is never lost. */
  putAlerts(alerts: readonly Alert[]): Promise<void>;
  appendSeries(points: readonly SeriesPoint[]): Promise<void>;
  flows(query: FieldsQuery): Promise<Rows<FlowEntry>>;
  /** Newest entry of a flow. */
  flow(id: string): Promise<FlowEntry | undefined>;
  alerts(query: AlertQuery): Promise<Rows<Alert>>;
  alert(id: string): Promise<Alert | undefined>;
  alertGroups(query: AlertGroupsQuery): Promise<Rows<AlertGroup>>;
  top(query: TopQuery): Promise<readonly { readonly value: FieldValue; readonly sum: number }[]>;
  series(query: SeriesQuery): Promise<readonly SeriesPoint[]>;
  /** Writes what matches to a file. @returns rows */
  exportFlows(query: Omit<HistoryQuery, keyof Page>, format: ExportFormat, file: string): Promise<number>;
  /** Takes away what is too old or too much. @returns rows that went */
  retain(retention: Retention, now: number): Promise<number>;
  close(): Promise<void>;
}
