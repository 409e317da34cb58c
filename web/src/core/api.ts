/**
 * The programming interface as functions: one place that knows its paths, its token against forged requests, and its errors. Types are
 * those of the program itself.
 *
 *   page ──api.flows({…})──► fetch /api/v1/… ──► JSON, or ApiError with the problem (RFC 9457)
 */
import type { Alert, RaisedFlowAlert } from '../../../src/alerts/alert.ts';
import type { Exclusion, ExclusionRequest, Preview, Suggestion } from '../../../src/alerts/exclusions.ts';
import type { ProblemBody } from '../../../src/api/problems.ts';
import type { Role } from '../../../src/api/roles.ts';
import type { FlowList, FlowRow } from '../../../src/api/rows.ts';
import type { FieldGroup, FieldType } from '../../../src/flows/fields/field.ts';
import type { InterfaceKind } from '../../../src/interfaces/protocol.ts';
import type { DeadLetter } from '../../../src/notify/endpoints.ts';
import type { Endpoint, TestOutcome } from '../../../src/notify/notifier.ts';
import type { Setting } from '../../../src/notify/settings.ts';
import type { InterfaceSnapshot, InterfaceState, LossSnapshot, ScriptSnapshot } from '../../../src/patrol-types.ts';
import type { ScriptSwitch } from '../../../src/scripts/report.ts';
import type { TraceEntry } from '../../../src/scripts/trace.ts';
import type { Upload } from '../../../src/server/uploads.ts';
import type { PreferenceState } from '../../../src/store/preferences.ts';

export type {
  Alert,
  DeadLetter,
  Endpoint,
  Exclusion,
  ExclusionRequest,
  FlowList,
  FlowRow,
  InterfaceSnapshot,
  PreferenceState,
  Preview,
  Role,
  ScriptSnapshot,
  ScriptSwitch,
  Suggestion,
  TraceEntry,
  Upload,
};
export type Script = ScriptSnapshot;
export type Trace = TraceEntry & { readonly interface: string };
export type Loss = LossSnapshot & { readonly interface?: string };

export interface Who {
  readonly name: string;
  readonly role: Role;
  readonly via: 'session' | 'token' | 'socket';
  readonly csrf: string;
}

export interface InterfaceStatus {
  readonly id: number;
  readonly name: string;
  readonly kind: InterfaceKind;
  readonly state: InterfaceState;
  readonly error?: string;
  readonly warning?: string;
  /** µs since 1970. */
  readonly clock: number;
  readonly packets: number;
  readonly bytes: number;
  readonly flows: number;
  readonly activeFlows: number;
  readonly alerts: number;
  readonly losses: number;
}

export interface Status {
  readonly version: string;
  readonly started: string;
  readonly uptime: number;
  readonly interfaces: readonly InterfaceStatus[];
  readonly losses: readonly Loss[];
}

export interface DeclaredField {
  readonly key: string;
  readonly type: FieldType;
  readonly unit?: string;
  readonly doc: string;
  readonly group: FieldGroup;
  readonly when?: string;
  readonly column?: { readonly title: string; readonly width: number; readonly shown?: boolean };
  readonly sortable: boolean;
}

export interface Declarations {
  readonly fields: readonly DeclaredField[];
  readonly statuses: readonly {
    readonly id: number;
    readonly name: string;
    readonly title: string;
    readonly alertType: string;
    readonly severity: string;
  }[];
  readonly alertTypes: readonly string[];
  readonly severities: readonly string[];
  readonly callbacks: readonly string[];
}

export interface HostRow {
  readonly address: string;
  readonly interface: string;
  readonly vlan: number;
  readonly name: string;
  readonly country: string;
  readonly local: boolean;
  readonly flows: number;
  readonly asClient: number;
  readonly asServer: number;
  readonly sent: number;
  readonly received: number;
  readonly bytes: number;
  readonly score: number;
}

export interface User {
  readonly name: string;
  readonly role: Role;
  readonly created: number;
}
export interface Token {
  readonly id: string;
  readonly name: string;
  readonly user: string;
  readonly role: Role;
  readonly created: number;
  readonly expires?: number;
  readonly lastUsed?: number;
}
export interface AuditEntry {
  readonly id: number;
  readonly time: number;
  readonly user: string;
  readonly via: string;
  readonly address: string;
  readonly action: string;
  readonly detail: string;
  readonly outcome: string;
}

export interface FlowPage {
  readonly live: boolean;
  readonly flow: FlowRow;
  readonly alerts: readonly Alert[];
  readonly traces: readonly Trace[];
}

export interface HistoryFlow {
  readonly time: number;
  readonly interface: string;
  readonly ended: boolean;
  readonly flow: Readonly<Record<string, unknown>>;
}

export interface SeriesPoint {
  readonly time: number;
  readonly interface: string;
  readonly name: string;
  readonly value: number;
}

const API = '/api/v1';

/** No answer came at all. */
export class Offline extends Error {}

/** The request was understood and refused. */
export class ApiError extends Error {
  readonly problem: ProblemBody;

  constructor(problem: ProblemBody) {
    super(problem.detail || problem.title);
    this.problem = problem;
  }
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

interface Ask {
  readonly query?: Query;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

let csrf = '';
let onGone = (): void => {};
/** @param gone called when the session is no more */
export function onSignedOut(gone: () => void): void {
  onGone = gone;
}

/** `?a=b` of what has a value. */
export function queryText(query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(given.map(([key, value]): [string, string] => [key, String(value)])).toString();
  return text === '' ? '' : `?${text}`;
}

export const urlOf = (path: string, query?: Query): string => API + path + queryText(query);

/** Headers that a request which changes something needs. */
export const changing = (): Record<string, string> => (csrf === '' ? {} : { 'x-csrf-token': csrf });

/** @throws ApiError of what a server, or something before it, answered */
export async function problemOf(response: { status: number; text(): Promise<string> }): Promise<ApiError> {
  const text = await response.text();
  try {
    return new ApiError(JSON.parse(text) as ProblemBody);
  } catch {
    return new ApiError({ type: '', code: 'internal', title: text.slice(0, 200) || 'HTTP', status: response.status, detail: '' });
  }
}

async function call<T>(method: string, path: string, { query, body, signal }: Ask = {}): Promise<T> {
  let response: Response;
  try {
    response = await fetch(urlOf(path, query), {
      method,
      credentials: 'same-origin',
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...(method === 'GET' ? {} : changing()) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Offline((error as Error).message);
  }
  if (response.ok) return (await response.json()) as T;
  const problem = await problemOf(response);
  if (problem.problem.code === 'not-authenticated') onGone();
  throw problem;
}

const get = <T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> =>
  call('GET', path, { ...(query ? { query } : {}), signal });
const put = <T>(path: string, body: unknown): Promise<T> => call('PUT', path, { body });
const post = <T>(path: string, body: unknown): Promise<T> => call('POST', path, { body });
const remove = <T>(path: string): Promise<T> => call('DELETE', path);
const part = encodeURIComponent;

function known(who: Who): Who {
  csrf = who.csrf;
  return who;
}

export interface Times {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

export interface ListQuery extends Times {
  readonly filter?: string;
  readonly sort?: string;
  readonly order?: 'asc' | 'desc';
  readonly limit?: number;
  readonly offset?: number;
}

const asQuery = (query: object): Query => query as Query;

/** A kind of notifications, as GET /notifications declares it. */
export interface DeclaredKind {
  readonly kind: string;
  readonly title: string;
  readonly pause: number;
  readonly settings: readonly {
    readonly name: string;
    readonly type: Setting['type'];
    readonly doc: string;
    readonly secret: boolean;
    readonly required: boolean;
    readonly default?: string | number;
    readonly choices?: readonly string[];
    readonly from?: number;
    readonly to?: number;
    readonly like?: string;
  }[];
}

/** What is given is changed. */
interface EndpointChange {
  readonly name?: string;
  readonly enabled?: boolean;
  readonly filter?: string;
  readonly pause?: number;
  readonly settings?: object;
}

/** What a script did on a capture. */
export interface ScriptTest {
  /** The first of them; `raised` counts all. */
  readonly alerts: readonly RaisedFlowAlert[];
  readonly raised: number;
  /** What it printed, and its failures. */
  readonly lines: readonly string[];
  /** Why it could not be loaded, or the capture not be read. */
  readonly error?: string;
  readonly flows: number;
}

export const api = {
  session: async () => known(await get<Who>('/session')),
  signIn: async (name: string, password: string) => known(await post<Who>('/session', { name, password })),
  async signOut() {
    await remove('/session');
    csrf = '';
  },
  changePassword: (old: string, password: string) => put('/session/password', { old, password }),

  status: (signal?: AbortSignal) => get<Status>('/status', undefined, signal),
  losses: (signal?: AbortSignal) => get<{ losses: readonly Loss[] }>('/losses', undefined, signal),
  interfaces: (signal?: AbortSignal) => get<{ interfaces: readonly InterfaceSnapshot[] }>('/interfaces', undefined, signal),
  declarations: () => get<Declarations>('/fields'),

  flows: (query: ListQuery & { fields?: string }, signal?: AbortSignal) => get<FlowList>('/flows', asQuery(query), signal),
  flow: (id: string, signal?: AbortSignal) => get<FlowPage>(`/flows/${part(id)}`, undefined, signal),
  hosts: (query: ListQuery, signal?: AbortSignal) =>
    get<{ hosts: readonly HostRow[]; total: number; complete: boolean }>('/hosts', asQuery(query), signal),

  historyFlows: (query: ListQuery & { fields?: string }, signal?: AbortSignal) =>
    get<{ flows: readonly HistoryFlow[]; total: number }>('/history/flows', asQuery(query), signal),
  top: (query: Times & { by: string; of?: 'bytes' | 'packets' | 'flows'; filter?: string; limit?: number }, signal?: AbortSignal) =>
    get<{ top: readonly { value: unknown; sum: number }[] }>('/history/top', asQuery(query), signal),
  series: (query: { names: string; from: number; to: number; points?: number; interface?: string }, signal?: AbortSignal) =>
    get<{ points: readonly SeriesPoint[] }>('/history/series', asQuery(query), signal),

  alerts: (query: ListQuery & { state?: string; script?: string; shadow?: boolean }, signal?: AbortSignal) =>
    get<{ alerts: readonly Alert[]; total: number }>('/alerts', asQuery(query), signal),
  alert: (id: string, signal?: AbortSignal) => get<Alert>(`/alerts/${part(id)}`, undefined, signal),
  actOnAlerts: (ids: readonly string[], action: 'acknowledge' | 'close' | 'reopen', comment: string) =>
    post<{ changed: number }>('/alerts/actions', { ids, action, comment }),

  exclusions: (signal?: AbortSignal) => get<{ exclusions: readonly Exclusion[] }>('/exclusions', undefined, signal),
  suggestions: (alert: string, signal?: AbortSignal) =>
    get<{ suggestions: readonly Suggestion[] }>(`/alerts/${part(alert)}/exclusion`, undefined, signal),
  previewExclusion: (body: { line: string; from: number; to: number }) => post<Preview>('/exclusions/preview', body),
  changeExclusion: (id: number, body: Partial<ExclusionRequest> & { filter: string }) => put<Exclusion>(`/exclusions/${id}`, body),
  addExclusion: (body: Partial<ExclusionRequest> & { filter: string }) => post<Exclusion>('/exclusions', body),
  removeExclusion: (id: number) => remove(`/exclusions/${id}`),

  scripts: (signal?: AbortSignal) => get<{ scripts: readonly Script[] }>('/scripts', undefined, signal),
  script: (key: string, signal?: AbortSignal) =>
    get<{ scripts: readonly Script[]; source: string | null }>(`/scripts/${part(key)}`, undefined, signal),
  switchScript: (key: string, state: ScriptSwitch, of?: string) =>
    put(`/scripts/${part(key)}/switch`, { state, ...(of === undefined || of === '' ? {} : { interface: of }) }),
  explainFilter: (signal?: AbortSignal) => get<{ filter: string }>('/explain/filter', undefined, signal),
  setExplainFilter: (filter: string) => put<{ filter: string }>('/explain/filter', { filter }),

  preferences: (signal?: AbortSignal) => get<{ preferences: readonly PreferenceState[] }>('/preferences', undefined, signal),
  setPreference: (name: string, value: boolean | number | string) => put<PreferenceState>(`/preferences/${part(name)}`, { value }),
  resetPreference: (name: string) => remove<PreferenceState>(`/preferences/${part(name)}`),

  users: (signal?: AbortSignal) => get<{ users: readonly User[] }>('/users', undefined, signal),
  addUser: (body: { name: string; password: string; role: Role }) => post<{ users: readonly User[] }>('/users', body),
  changeUser: (name: string, body: { password?: string; role?: Role }) => put<{ users: readonly User[] }>(`/users/${part(name)}`, body),
  removeUser: (name: string) => remove<{ users: readonly User[] }>(`/users/${part(name)}`),
  tokens: (signal?: AbortSignal) => get<{ tokens: readonly Token[] }>('/tokens', undefined, signal),
  addToken: (body: { name: string; role: Role; expires?: number }) => post<{ token: Token; text: string }>('/tokens', body),
  removeToken: (id: string) => remove(`/tokens/${part(id)}`),
  audit: (signal?: AbortSignal) => get<{ entries: readonly AuditEntry[] }>('/audit', { limit: 100 }, signal),

  notifications: (signal?: AbortSignal) =>
    get<{ notifications: readonly Endpoint[]; kinds: readonly DeclaredKind[] }>('/notifications', undefined, signal),
  addNotification: (body: EndpointChange & { name: string; kind: string; settings: object }) => post<Endpoint>('/notifications', body),
  changeNotification: (id: number, body: EndpointChange) => put<Endpoint>(`/notifications/${id}`, body),
  removeNotification: (id: number) => remove(`/notifications/${id}`),
  testNotification: (id: number, alert?: string) => post<TestOutcome>(`/notifications/${id}/test`, alert === undefined ? {} : { alert }),
  deadLetters: (signal?: AbortSignal) => get<{ letters: readonly DeadLetter[] }>('/dead-letters', undefined, signal),
  actOnLetters: (action: 'resend' | 'discard', ids: readonly number[]) =>
    post<{ alerts: number }>('/dead-letters/actions', { action, ids }),

  uploads: (signal?: AbortSignal) => get<{ uploads: readonly Upload[]; most: number }>('/uploads', undefined, signal),
  removeUpload: (id: string) => remove(`/uploads/${part(id)}`),
};
