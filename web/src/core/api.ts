/**
 * The programming interface as functions: one place that knows its paths, its token against forged requests, and its errors. Types are
 * those of the program itself, or made of the schemas that it checks its answers with (answers.ts).
 *
 *   page ──api.flows({…})──► fetch /api/v1/… ──► JSON, or ApiError with the problem (RFC 9457)
 */
import type { Alert, RaisedFlowAlert } from '../../../src/alerts/alert.ts';
import type { Exclusion, ExclusionRequest, Preview, Suggestion } from '../../../src/alerts/exclusions.ts';
import type { ProblemBody } from '../../../src/api/problems.ts';
import type { Role } from '../../../src/api/roles.ts';
import type { FlowList, FlowRow } from '../../../src/api/rows.ts';
import type { Endpoint, TestOutcome } from '../../../src/notify/notifier.ts';
import type { InterfaceSnapshot, ScriptSnapshot } from '../../../src/patrol-types.ts';
import type { ScriptSwitch } from '../../../src/scripts/report.ts';
import type { TraceEntry } from '../../../src/scripts/trace.ts';
import type { Upload } from '../../../src/server/uploads.ts';
import type { PreferenceState } from '../../../src/store/preferences.ts';
import type { Answers } from './answers.ts';

export type {
  Alert,
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

export type Who = Answers['GET /session'];
export type Status = Answers['GET /status'];
export type Declarations = Answers['GET /fields'];
export type DeclaredField = Declarations['fields'][number];
/** What the schemas leave open of alerts and traces, the program's types say. */
export type FlowPage = Omit<Answers['GET /flows/{id}'], 'flow' | 'alerts' | 'traces'> & {
  readonly flow: FlowRow;
  readonly alerts: readonly Alert[];
  readonly traces: readonly Trace[];
};
export type HostRow = Answers['GET /hosts']['hosts'][number];
export type HistoryFlow = Answers['GET /history/flows']['flows'][number];
export type AlertGroup = Answers['GET /alerts/groups']['groups'][number];
export type SeriesPoint = Answers['GET /history/series']['points'][number];
/** A kind of notifications, with its settings. */
export type DeclaredKind = Answers['GET /notifications']['kinds'][number];
/** What a script did on a capture. */
export type ScriptTest = Omit<Answers['POST /scripts/{key}/test'], 'alerts'> & { readonly alerts: readonly RaisedFlowAlert[] };

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

export interface Where extends Times {
  readonly filter?: string;
  /** Its name; of all without it. */
  readonly interface?: string;
}

/** Which alerts. */
export interface AlertsAsked extends Where {
  readonly state?: string;
  readonly shadow?: boolean;
}

export interface ListQuery extends Where {
  readonly sort?: string;
  readonly order?: 'asc' | 'desc';
  readonly limit?: number;
  readonly offset?: number;
}

const asQuery = (query: object): Query => query as Query;

/** What is given is changed. */
interface EndpointChange {
  readonly name?: string;
  readonly enabled?: boolean;
  readonly filter?: string;
  readonly pause?: number;
  readonly settings?: object;
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
  losses: (signal?: AbortSignal) => get<Pick<Status, 'losses'>>('/losses', undefined, signal),
  interfaces: (signal?: AbortSignal) => get<{ interfaces: readonly InterfaceSnapshot[] }>('/interfaces', undefined, signal),
  setPace: (id: number, pace: { paused?: boolean; speed?: number }) => post(`/interfaces/${id}/pace`, pace),
  declarations: () => get<Declarations>('/fields'),

  flows: (query: ListQuery & { fields?: string }, signal?: AbortSignal) => get<FlowList>('/flows', asQuery(query), signal),
  flow: (id: string, signal?: AbortSignal) => get<FlowPage>(`/flows/${part(id)}`, undefined, signal),
  hosts: (query: ListQuery, signal?: AbortSignal) => get<Answers['GET /hosts']>('/hosts', asQuery(query), signal),

  historyFlows: (query: ListQuery & { fields?: string }, signal?: AbortSignal) =>
    get<Answers['GET /history/flows']>('/history/flows', asQuery(query), signal),
  top: (query: Where & { by: string; of?: 'bytes' | 'packets' | 'flows'; limit?: number }, signal?: AbortSignal) =>
    get<Answers['GET /history/top']>('/history/top', asQuery(query), signal),
  series: (
    query: { names: string; from: number; to: number; points?: number; interface?: string; filter?: string },
    signal?: AbortSignal,
  ) => get<Answers['GET /history/series']>('/history/series', asQuery(query), signal),

  alerts: (query: ListQuery & AlertsAsked & { script?: string }, signal?: AbortSignal) =>
    get<{ alerts: readonly Alert[]; total: number }>('/alerts', asQuery(query), signal),
  alertGroups: (
    query: AlertsAsked & { by: string; sort?: 'count' | 'lastTime' | 'severity' | 'score'; limit?: number; offset?: number },
    signal?: AbortSignal,
  ) => get<Answers['GET /alerts/groups']>('/alerts/groups', asQuery(query), signal),
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

  users: (signal?: AbortSignal) => get<Answers['GET /users']>('/users', undefined, signal),
  addUser: (body: { name: string; password: string; role: Role }) => post<Answers['GET /users']>('/users', body),
  changeUser: (name: string, body: { password?: string; role?: Role }) => put<Answers['GET /users']>(`/users/${part(name)}`, body),
  removeUser: (name: string) => remove<Answers['GET /users']>(`/users/${part(name)}`),
  tokens: (signal?: AbortSignal) => get<Answers['GET /tokens']>('/tokens', undefined, signal),
  addToken: (body: { name: string; role: Role; expires?: number }) => post<{ text: string }>('/tokens', body),
  removeToken: (id: string) => remove(`/tokens/${part(id)}`),
  audit: (signal?: AbortSignal) => get<Answers['GET /audit']>('/audit', { limit: 100 }, signal),

  notifications: (signal?: AbortSignal) =>
    get<{ notifications: readonly Endpoint[]; kinds: readonly DeclaredKind[] }>('/notifications', undefined, signal),
  addNotification: (body: EndpointChange & { name: string; kind: string; settings: object }) => post<Endpoint>('/notifications', body),
  changeNotification: (id: number, body: EndpointChange) => put<Endpoint>(`/notifications/${id}`, body),
  removeNotification: (id: number) => remove(`/notifications/${id}`),
  testNotification: (id: number, alert?: string) => post<TestOutcome>(`/notifications/${id}/test`, alert === undefined ? {} : { alert }),
  deadLetters: (signal?: AbortSignal) => get<Answers['GET /dead-letters']>('/dead-letters', undefined, signal),
  actOnLetters: (action: 'resend' | 'discard', ids: readonly number[]) =>
    post<{ alerts: number }>('/dead-letters/actions', { action, ids }),

  uploads: (signal?: AbortSignal) => get<{ uploads: readonly Upload[]; most: number }>('/uploads', undefined, signal),
  removeUpload: (id: string) => remove(`/uploads/${part(id)}`),
};
