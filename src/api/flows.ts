/** Flows that live now, and one flow by its id, also from the history. */
import { Type } from '@sinclair/typebox';
import { FilterError, parseFilter } from '../filter/filter.ts';
import type { Field } from '../flows/fields/field.ts';
import { isSortable, MOST_FLOWS } from '../flows/selection.ts';
import type { FlowAnswer, FlowQuery } from '../patrol-types.ts';
import { meant } from './checks.ts';
import type { ApiDependencies } from './dependencies.ts';
import { TraceSchema } from './explain.ts';
import { fieldNamed, fieldNames } from './fields.ts';
import { filterProblem, Problem } from './problems.ts';
import { object, type Route, route } from './route.ts';
import { type FlowRow, flowList } from './rows.ts';
import {
  AlertSchema,
  FieldsParameter,
  FilterParameter,
  FlowRowSchema,
  InterfaceParameter,
  limitParameter,
  OrderParameter,
} from './schemas.ts';
import { whereOf } from './where.ts';

const DEFAULT_LIMIT = 100;
/** A visit may be under way in the interface's thread, and a packet comes first. */
const LONGEST_MS = 10_000;
/** Alerts that are shown with their flow. */
const MOST_ALERTS = 100;

/** @throws Problem */
export function fieldOf(name: string): Field {
  const field = fieldNamed(name);
  if (field !== undefined) return field;
  throw new Problem('unknown-field', `There is no field '${name}'.`, meant(name, fieldNames()));
}

/** Key of a field that flows can be sorted by. @throws Problem */
export function sortKey(name: string): string {
  const field = fieldOf(name);
  if (isSortable(field)) return field.key;
  throw new Problem('wrong-parameter', `sort: flows cannot be sorted by ${field.key}: it is a table.`);
}

/** @throws Problem, where the filter is wrong */
export function checkFilter(filter: string): void {
  try {
    parseFilter(filter);
  } catch (error) {
    if (!(error instanceof FilterError)) throw error;
    throw filterProblem(error);
  }
}

/** Keys, separated by commas, of fields. @throws Problem */
export const fieldsOf = (text: string | undefined): Field[] | undefined =>
  text
    ?.split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .map(fieldOf);

/** Asks the interfaces; gives up when the one who asks has gone, or it takes too long. @throws Problem */
export async function patiently<T>(ask: (signal: AbortSignal) => Promise<T>, request: AbortSignal): Promise<T> {
  const late = AbortSignal.timeout(LONGEST_MS);
  try {
    return await ask(AbortSignal.any([request, late]));
  } catch (error) {
    if (error instanceof FilterError) throw filterProblem(error);
    if (late.aborted) throw new Problem('too-slow', `No answer within ${LONGEST_MS / 1000} s.`, { hint: 'a lower limit asks for less' });
    throw error;
  }
}

export function flowsRoutes(dependencies: ApiDependencies): Route[] {
  const { hosts, history, scripts } = dependencies;
  const ask = (query: FlowQuery, request: AbortSignal): Promise<FlowAnswer[]> =>
    patiently((signal) => dependencies.queryFlows(query, signal), request);

  return [
    route({
      method: 'get',
      path: '/flows',
      role: 'viewer',
      tag: 'flows',
      summary: 'Flows that live now',
      problems: ['wrong-filter', 'unknown-field', 'too-slow'],
      query: object({
        filter: FilterParameter,
        interface: InterfaceParameter,
        sort: Type.String({ default: 'bytes', description: 'a field' }),
        order: OrderParameter,
        limit: limitParameter(MOST_FLOWS, DEFAULT_LIMIT),
        fields: FieldsParameter,
      }),
      answer: object({
        matched: Type.Integer({ description: 'flows that match' }),
        total: Type.Integer({ description: 'and all that there are' }),
        packets: Type.Number({ description: 'of those that match' }),
        bytes: Type.Number(),
        interfaces: Type.Array(object({ name: Type.String(), matched: Type.Integer(), total: Type.Integer() })),
        flows: Type.Array(FlowRowSchema),
      }),
      async handle({ query: { filter = '', sort, order, limit, fields, ...where }, request }) {
        checkFilter(filter); // also where no interface runs that would ask it
        const query: FlowQuery = { filter, ...whereOf(where), sort: sortKey(sort), descending: order === 'desc', limit };
        const wanted = fieldsOf(fields);
        return flowList(query, await ask(query, request.signal), wanted, hosts);
      },
    }),
    route({
      method: 'get',
      path: '/flows/{id}',
      role: 'viewer',
      tag: 'flows',
      summary: 'One flow, live or from the history: all fields, its alerts, its traces',
      problems: ['unknown-flow', 'too-slow'],
      answer: object({
        live: Type.Boolean(),
        flow: FlowRowSchema,
        alerts: Type.Array(AlertSchema),
        traces: Type.Array(TraceSchema),
      }),
      async handle({ param, request }) {
        const id = param('id');
        const wanted = `flow.id == ${JSON.stringify(id)}`;
        const query: FlowQuery = { filter: wanted, sort: 'bytes', descending: true, limit: 1 };
        const live: FlowRow | undefined = flowList(query, await ask(query, request.signal), undefined, hosts).flows[0];
        const kept = live === undefined ? await history?.flow(id) : undefined;
        const flow = live ?? (kept === undefined ? undefined : { ...kept.flow, interface: kept.interface });
        if (flow === undefined) throw new Problem('unknown-flow', `There is no flow ${id}, neither live nor in the history.`);
        const alerts = await history?.alerts({ filter: wanted, sort: 'time', descending: true, limit: MOST_ALERTS, offset: 0 });
        return {
          live: live !== undefined && flow['flow.idle'] !== true,
          flow,
          alerts: alerts?.rows ?? [],
          traces: scripts.traces().filter((trace) => trace.flow === id),
        };
      },
    }),
  ];
}
