/** Alerts: list, one of them, and what people say about them; exclusions: those that nobody wants to see again. */
import { type Static, type TObject, Type } from '@sinclair/typebox';
import { ALERT_STATES, type AlertState, SEVERITIES, type Severity } from '../alerts/alert.ts';
import { type Exclusion, ExclusionError, previewExclusion, suggestExclusions } from '../alerts/exclusions.ts';
import { compileAlertFilter } from '../alerts/filter.ts';
import { FilterError } from '../filter/filter.ts';
import { formatFilter } from '../filter/format.ts';
import type { AlertGroup, AlertScope } from '../store/history.ts';
import { ALERT_GROUP_SORTS, ALERT_GROUPINGS, ALERT_GROUPS, ALERT_SORTS, type AlertGrouping } from '../store/history-checks.ts';
import type { ApiDependencies } from './dependencies.ts';
import { filterProblem, Problem } from './problems.ts';
import { object, oneOf, type Route, route } from './route.ts';
import {
  AlertSchema,
  FilterParameter,
  FromParameter,
  InterfaceParameter,
  limitParameter,
  micros,
  OffsetParameter,
  OrderParameter,
} from './schemas.ts';
import { whereOf } from './where.ts';

const ACTIONS = { acknowledge: 'acknowledged', close: 'closed', reopen: 'new' } as const satisfies Readonly<Record<string, AlertState>>;
const ACTION_NAMES = Object.keys(ACTIONS) as (keyof typeof ACTIONS)[];

/** @throws Problem */
function filtered<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof FilterError) throw filterProblem(error);
    if (error instanceof ExclusionError) throw new Problem('wrong-value', `${error.message}.`);
    throw error;
  }
}

const both = (one: string, other: string): string => (one.trim() === '' ? other : other === '' ? one : `(${one}) and ${other}`);

/** Which alerts a question is about. */
const SCOPE = {
  filter: FilterParameter,
  interface: InterfaceParameter,
  from: FromParameter,
  to: FromParameter,
  state: Type.Optional(Type.String({ description: `${ALERT_STATES.join(', ')}; several separated by commas`, maxLength: 100 })),
  shadow: Type.Optional(Type.Boolean({ description: 'true: those of scripts in shadow, false: the others' })),
};

/** @throws Problem */
function scopeOf({ filter = '', state, shadow, ...where }: Static<TObject<typeof SCOPE>>): AlertScope {
  filtered(() => compileAlertFilter(filter));
  const states = state?.split(',').map((word) => {
    const found = ALERT_STATES.find((known) => known === word.trim());
    if (found !== undefined) return found;
    throw new Problem('wrong-parameter', `state: '${word.trim()}' is not one of ${ALERT_STATES.join(', ')}.`);
  });
  return { filter, ...whereOf(where), ...(states === undefined ? {} : { states }), ...(shadow === undefined ? {} : { shadow }) };
}

/** The line that is true of the alerts of a group. */
function groupFilter(by: AlertGrouping, value: AlertGroup['value']): string {
  const field = ALERT_GROUPS[by];
  if (value === undefined) return formatFilter({ kind: 'not', of: { kind: 'has', field } });
  return formatFilter({ kind: 'compare', field, op: '==', value: String(value) });
}

export function alertsRoutes(dependencies: ApiDependencies): Route[] {
  const { history, alerts } = dependencies;
  if (history === undefined) return [];
  const listing = [
    route({
      method: 'get',
      path: '/alerts',
      role: 'viewer',
      tag: 'alerts',
      summary: 'Alerts, the newest first',
      doc: 'The filter is that of flows, over the flow of the alert, and has the members of alerts beside: severity, script, type, score …',
      problems: ['wrong-filter'],
      query: object({
        ...SCOPE,
        script: Type.Optional(Type.String({ description: 'key of a script', maxLength: 200 })),
        sort: oneOf(ALERT_SORTS, { default: 'time' }),
        order: OrderParameter,
        limit: limitParameter(10_000, 100),
        offset: OffsetParameter,
      }),
      answer: object({ total: Type.Integer({ description: 'that match, whatever the page' }), alerts: Type.Array(AlertSchema) }),
      async handle({ query: { script, sort, order, limit, offset, ...asked } }) {
        const scope = scopeOf(asked);
        const { rows, total } = await history.alerts({
          ...scope,
          filter: both(scope.filter, script === undefined ? '' : `script == ${JSON.stringify(script)}`),
          sort,
          descending: order === 'desc',
          limit,
          offset,
        });
        return { total, alerts: rows };
      },
    }),
    route({
      method: 'get',
      path: '/alerts/groups',
      role: 'viewer',
      tag: 'alerts',
      summary: 'Alerts counted by script, type, client …; the group with most of them, or the newest, comes first',
      problems: ['wrong-filter'],
      query: object({
        ...SCOPE,
        by: oneOf(ALERT_GROUPINGS, { description: 'what those of a group have alike' }),
        sort: oneOf(ALERT_GROUP_SORTS, { default: 'count', description: 'the most of it first' }),
        limit: limitParameter(1000, 100),
        offset: OffsetParameter,
      }),
      answer: object({
        total: Type.Integer({ description: 'groups that there are, whatever the page' }),
        groups: Type.Array(
          object({
            value: Type.Optional(Type.Unsafe<string | number>({ type: ['string', 'number'], description: 'none: alerts that have none' })),
            filter: Type.String({ description: 'which alerts these are: a line of the filter language' }),
            count: Type.Integer({ description: 'alerts, however many each of them stands for' }),
            raised: Type.Integer({ description: 'with what each of them stands for' }),
            firstTime: micros('of the first one'),
            lastTime: micros('of the last one'),
            score: Type.Number({ description: 'the highest' }),
            severity: oneOf(SEVERITIES, { description: 'the strongest' }),
            severities: Type.Unsafe<Readonly<Partial<Record<Severity, number>>>>(
              Type.Record(Type.String(), Type.Integer(), { description: 'how many there are of each severity' }),
            ),
          }),
        ),
      }),
      async handle({ query: { by, sort, limit, offset, ...asked } }) {
        const { rows, total } = await history.alertGroups({ ...scopeOf(asked), by, sort, limit, offset });
        return { total, groups: rows.map((group) => ({ ...group, filter: groupFilter(by, group.value) })) };
      },
    }),
    route({
      method: 'get',
      path: '/alerts/{id}',
      role: 'viewer',
      tag: 'alerts',
      summary: 'One alert',
      problems: ['unknown-alert'],
      answer: AlertSchema,
      handle: ({ param }) => alertOf(dependencies, param('id')),
    }),
  ];
  return alerts === undefined ? listing : [...listing, actionsRoute(alerts), ...exclusionsRoutes(dependencies)];
}

/** The alert as it is now. @throws Problem */
export async function alertOf({ history, alerts }: ApiDependencies, id: string) {
  const found = await (alerts?.alert(id) ?? history?.alert(id));
  if (found === undefined) throw new Problem('unknown-alert', `There is no alert ${id}.`);
  return found;
}

function actionsRoute(alerts: NonNullable<ApiDependencies['alerts']>): Route {
  return route({
    method: 'post',
    path: '/alerts/actions',
    role: 'operator',
    tag: 'alerts',
    summary: 'Acknowledges, closes or opens again: some alerts, or all that match',
    doc: '`complete` is false where more match than one request changes: then it is to be sent again.',
    problems: ['wrong-filter', 'wrong-value'],
    body: object(
      {
        action: oneOf(ACTION_NAMES),
        comment: Type.Optional(Type.String({ maxLength: 4000 })),
        ids: Type.Optional(Type.Array(Type.String({ maxLength: 100 }), { maxItems: 1000 })),
        filter: Type.Optional(Type.String({ maxLength: 8192 })),
        from: Type.Optional(Type.Integer({ minimum: 0 })),
        to: Type.Optional(Type.Integer({ minimum: 0 })),
      },
      { examples: [{ action: 'acknowledge', ids: ['…'], comment: 'known' }] },
    ),
    answer: object({ changed: Type.Integer(), complete: Type.Boolean() }),
    async handle({ who, body: { action, comment = '', ids, filter, ...where } }) {
      const change = { state: ACTIONS[action], by: who.name, comment };
      if ((ids === undefined) === (filter === undefined)) throw new Problem('wrong-value', 'Either ids or a filter say which alerts.');
      if (ids !== undefined) return { changed: await alerts.change(ids, change), complete: true };
      const wanted = filter ?? '';
      filtered(() => compileAlertFilter(wanted));
      return alerts.changeAll({ filter: wanted, ...whereOf(where) }, change);
    },
  });
}

const Time = Type.Integer({ minimum: 0, description: 'time of the traffic, µs since 1970' });
const ExclusionSchema = object({
  id: Type.Integer(),
  filter: Type.String(),
  comment: Type.String(),
  owner: Type.String(),
  starts: Type.Optional(Time),
  expires: Type.Optional(Time),
  created: Type.Number({ description: 'µs since 1970' }),
  hits: Type.Integer(),
  lastHit: Type.Optional(Time),
  error: Type.Optional(Type.String({ description: 'why it does not work any more' })),
});
const Line = Type.String({ maxLength: 8192, description: 'in the filter language of alerts' });
const RequestSchema = object(
  {
    filter: Line,
    comment: Type.Optional(Type.String({ maxLength: 1000 })),
    owner: Type.Optional(Type.String({ maxLength: 1000, description: 'who answers for it; who asks, without it' })),
    starts: Type.Optional(Time),
    expires: Type.Optional(Time),
  },
  { examples: [{ filter: 'script == "beacon" and client == 10.0.0.5', comment: 'the update server' }] },
);

const shown = ({ starts, expires, ...rest }: Exclusion) => ({
  ...rest,
  ...(starts === undefined ? {} : { starts }),
  ...(expires === undefined ? {} : { expires }),
});

function exclusionsRoutes(dependencies: ApiDependencies): Route[] {
  const { exclusions, history } = dependencies;
  if (exclusions === undefined || history === undefined) return [];
  const numbered = (id: string): number => {
    const found = /^\d{1,15}$/.test(id) ? exclusions.get(Number(id)) : undefined;
    if (found === undefined) throw new Problem('unknown-exclusion', `There is no exclusion ${id}.`);
    return found.id;
  };
  const changed = (exclusion: Exclusion | undefined, id: string) => {
    if (exclusion === undefined) throw new Problem('unknown-exclusion', `There is no exclusion ${id}.`);
    return shown(exclusion);
  };

  return [
    route({
      method: 'get',
      path: '/exclusions',
      role: 'viewer',
      tag: 'alerts',
      summary: 'All exclusions, with their hits',
      answer: object({ exclusions: Type.Array(ExclusionSchema) }),
      handle: () => ({ exclusions: exclusions.list().map(shown) }),
    }),
    route({
      method: 'post',
      path: '/exclusions',
      role: 'operator',
      tag: 'alerts',
      summary: 'Adds an exclusion',
      problems: ['wrong-filter', 'wrong-value'],
      body: RequestSchema,
      answer: ExclusionSchema,
      status: 201,
      handle: ({ body, who }) => filtered(() => shown(exclusions.add({ comment: '', owner: who.name, ...body }))),
    }),
    route({
      method: 'put',
      path: '/exclusions/{id}',
      role: 'operator',
      tag: 'alerts',
      summary: 'Changes an exclusion',
      problems: ['unknown-exclusion', 'wrong-filter', 'wrong-value'],
      body: RequestSchema,
      answer: ExclusionSchema,
      handle: ({ param, body, who }) =>
        filtered(() =>
          changed(
            exclusions.update(numbered(param('id')), { comment: '', owner: who.name, starts: undefined, expires: undefined, ...body }),
            param('id'),
          ),
        ),
    }),
    route({
      method: 'delete',
      path: '/exclusions/{id}',
      role: 'operator',
      tag: 'alerts',
      summary: 'Takes an exclusion away',
      problems: ['unknown-exclusion'],
      answer: object({}),
      handle({ param }) {
        exclusions.remove(numbered(param('id')));
        return {};
      },
    }),
    route({
      method: 'post',
      path: '/exclusions/preview',
      role: 'viewer',
      tag: 'alerts',
      summary: 'What a line would have hidden in a time',
      problems: ['wrong-filter'],
      body: object({ line: Line, from: Time, to: Time }),
      answer: object({
        matched: Type.Integer(),
        raised: Type.Integer({ description: 'with what each of them stands for' }),
        looked: Type.Integer({ description: 'alerts that were looked at' }),
        examples: Type.Array(AlertSchema),
        complete: Type.Boolean(),
      }),
      async handle({ body: { line, from, to } }) {
        filtered(() => compileAlertFilter(line));
        return previewExclusion(line, from, to, history);
      },
    }),
    route({
      method: 'get',
      path: '/alerts/{id}/exclusion',
      role: 'viewer',
      tag: 'alerts',
      summary: 'Lines that would exclude an alert, from narrow to wide',
      problems: ['unknown-alert'],
      answer: object({ suggestions: Type.Array(object({ about: Type.String(), filter: Type.String() })) }),
      handle: async ({ param }) => ({ suggestions: suggestExclusions(await alertOf(dependencies, param('id'))) }),
    }),
  ];
}
