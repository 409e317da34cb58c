/** types/flowpatrol.d.ts: what `import … from 'flowpatrol'` is in a script, for editors and for `flowpatrol scripts check`. */
import { STATUSES } from '../../flows/statuses.ts';
import { ALERT_TYPES, SEVERITIES } from '../alert-types.ts';
import { L4_NUMBERS } from './definition.ts';

const comment = (text: string): string => `/** ${text.replaceAll('*/', '* /')} */`;
const union = (names: Iterable<string>): string => [...names].map((name) => `'${name}'`).join(' | ');
const members = (entries: readonly (readonly [name: string, type: string | number, doc: string])[]): string =>
  entries.map(([name, type, doc]) => `  ${comment(doc)}\n  readonly ${name}: ${type};\n`).join('');

/** Text of the file. Info is declared in info.d.ts. */
export const flowpatrolTypes = (): string => `// Made by \`node docs/generate.ts\`. Do not edit.
import type { Info } from './info.d.ts';

export type { Info };

/** The statuses of a flow, by the names that scripts use: ids, which are the bits of \`info.status_map\`. */
export interface Statuses {
${members(STATUSES.map(({ id, name, title, meaning }) => [name.replace(/^status_/, ''), id, `${title}: ${meaning}`]))}}
export type StatusName = keyof Statuses;

/** Types of alerts, with their ids. */
export interface AlertTypes {
${members(ALERT_TYPES.map(({ id, name, title }) => [name, id, title]))}}
export type AlertTypeName = keyof AlertTypes;
export type Severity = ${union(SEVERITIES)};

/** Whose score. */
export type ScoreOf = 'flow' | 'client' | 'server';
export type LogLevel = 'error' | 'warning' | 'normal' | 'info' | 'debug';

/** Flows that a script is called for: all conditions have to hold. What is left out costs nothing. */
export interface Filter {
  /** IP protocols, by name or number: one of them. */
  readonly l4?: L4 | readonly L4[];
  /** nDPI's name of a protocol, such as \`DNS\`: the master or the application protocol has to be it. */
  readonly l7?: string;
  /** TCP flows only once their handshake is complete. */
  readonly handshake?: boolean;
  /** Interfaces that see packets only, not flow records. */
  readonly packetInterface?: boolean;
  /** At least so many seconds between two calls of \`periodicUpdate\` for a flow. */
  readonly periodicSeconds?: number;
}
export type L4 =
${[...L4_NUMBERS.keys()].map((name) => `  | '${name}'\n`).join('')}  | number;

export interface AlertOptions {
  /** Of the flow, a whole number from 0 to 1000; others become the nearest one. */
  readonly score?: number;
  /** The status that the alert is raised for. */
  readonly status?: StatusName;
}

/** The flow that a callback is called for. */
export interface Flow {
  /**
   * Raises an alert about the flow.
   * @param info anything that has a form in JSON; it goes with the alert
   * @example flow.alert('suspicious_activity', 'warning', { bytes: info.bytes });
   */
  alert(type: AlertTypeName, severity: Severity, info?: unknown, options?: AlertOptions): void;
  /** Sets a status, from the flow's next visit on. */
  setStatus(status: StatusName): void;
  clearStatus(status: StatusName): void;
  /** With what the scripts of this event have set and cleared. */
  isStatusSet(status: StatusName): boolean;
  /** Score of the flow, or of one of its hosts: a whole number from 0 to 65,534; others become the nearest one. */
  setScore(score: number, of?: ScoreOf): void;
  /** The score that scripts gave in this event; undefined if none did. */
  score(of?: ScoreOf): number | undefined;
  readonly cache: Cache;
  /** Lines for the log. */
  log(level: LogLevel, ...values: readonly unknown[]): void;
}

/**
 * Texts that outlive the program: by key, as hashes, as sets and as lists. All scripts share it: begin keys with the script's own.
 * Everything here throws when the cache is full, or when a key holds another kind of thing.
 */
export interface Cache {
  get(key: string): string | undefined;
  /** @param ttl seconds by the traffic's clock; 0 or nothing = for ever */
  set(key: string, value: string, ttl?: number): void;
  delete(key: string): void;
  /** Adds to the whole number under the key; a missing one is 0. @param by 1 without it @returns the sum */
  increment(key: string, by?: number): number;
  expire(key: string, ttl: number): void;
  /** Keys that match a pattern with \`*\` and \`?\`, sorted. */
  keys(pattern: string): string[];
  hashGet(key: string, field: string): string | undefined;
  hashSet(key: string, field: string, value: string): void;
  hashDelete(key: string, field: string): void;
  hashAll(key: string): Record<string, string> | undefined;
  setAdd(key: string, member: string): void;
  setRemove(key: string, member: string): void;
  setHas(key: string, member: string): boolean;
  /** Sorted. */
  setMembers(key: string): string[];
  /** @param keep most elements that stay; the oldest go */
  listPush(key: string, value: string, end: 'left' | 'right', keep?: number): void;
  listPop(key: string, end: 'left' | 'right'): string | undefined;
  listLength(key: string): number;
  /** Positions from 0 on, both inclusive; negative ones count from the end. */
  listRange(key: string, first: number, last: number): string[];
}

/** A callback. It is over when it returns: there is nothing asynchronous in a script. */
export type Callback = (info: Info, flow: Flow) => void;

export interface Script {
  /** Unique id: letters, digits, \`_\`. */
  readonly key: string;
  /** A text, or the key of a translation; the script's key without it. */
  readonly title?: string;
  readonly description?: string;
  /** Higher runs earlier, 0 without it; then by file name. */
  readonly prio?: number;
  readonly filter?: Filter;
  /** Called once when the script is loaded; false switches it off. */
  setup?(): boolean;
  /** Called when this version of the script is no longer used. */
  teardown?(): void;
  /** Once, at the first visit after the layer-7 protocol and its details are known. */
  protocolDetected?(info: Info, flow: Flow): void;
  /** At each visit at which the flow's statuses differ from those at the visit before. */
  statusChanged?(info: Info, flow: Flow): void;
  /** On long-lived flows, every 5 times the maximum idleness. */
  periodicUpdate?(info: Info, flow: Flow): void;
  /** Once, at the flow's last visit. */
  idle?(info: Info, flow: Flow): void;
}

/**
 * Says what a script is; the file exports it by default. Further members are the script's own, callbacks reach them by \`this\`.
 * @example
 * export default defineScript({
 *   key: 'big_upload',
 *   title: 'Big uploads',
 *   idle(info, flow) {
 *     if (info['cli2srv.bytes'] > 1e9) flow.alert('flow_misbehaviour', 'warning');
 *   },
 * });
 */
export function defineScript<T extends Script>(script: T & ThisType<T>): T;

export const cache: Cache;
/** The interface that sees the flows. */
export const networkInterface: { readonly id: number; readonly name: string };
/** A text in the user's language, with \`%{name}\` replaced; the key itself where there is none. */
export function i18n(key: string, params?: Readonly<Record<string, string | number>>): string;
/** The flow as text: \`[TCP] 10.0.0.1:51514 -> 10.0.0.2:80 [HTTP]\`. */
export function shortFlowLabel(info: Info): string;

declare global {
  /** Lines for the log, with script, flow and callback. */
  interface Console {
    log(...values: unknown[]): void;
    info(...values: unknown[]): void;
    debug(...values: unknown[]): void;
    warn(...values: unknown[]): void;
    error(...values: unknown[]): void;
  }
  var console: Console;
}
`;
