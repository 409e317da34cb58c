/**
 * GET /flows: flows that live now.
 *
 *   filter   in the filter language                sort     a field, `bytes` without it
 *   order    `desc` (without it) or `asc`          limit    1 to 10,000, 100 without it
 *   fields   keys, separated by commas; all without it
 */
import { Hono } from 'hono';
import { FilterError, parseFilter } from '../filter/filter.ts';
import type { Field } from '../flows/fields/field.ts';
import { isSortable, MOST_FLOWS } from '../flows/selection.ts';
import { nearest } from '../nearest.ts';
import type { FlowAnswer, FlowQuery } from '../patrol-types.ts';
import type { ApiDependencies } from './dependencies.ts';
import { fieldNamed, fieldNames } from './fields.ts';
import { filterProblem, Problem } from './problems.ts';
import { flowList } from './rows.ts';

const PARAMETERS = ['filter', 'sort', 'order', 'limit', 'fields'] as const;
type Parameters = Readonly<Partial<Record<(typeof PARAMETERS)[number], string>>>;

const DEFAULT_LIMIT = 100;
/** A visit may be under way in the interface's thread, and a packet comes first. */
const LONGEST_MS = 10_000;

const meant = (word: string, candidates: readonly string[]): { hint?: string } => {
  const near = nearest(word, candidates);
  return near === undefined ? {} : { hint: `did you mean ${near}?` };
};

function fieldOf(name: string): Field {
  const field = fieldNamed(name);
  if (field !== undefined) return field;
  throw new Problem('unknown-field', `There is no field '${name}'.`, meant(name, fieldNames()));
}

function sortKey(name: string): string {
  const field = fieldOf(name);
  if (isSortable(field)) return field.key;
  throw new Problem('wrong-parameter', `sort: flows cannot be sorted by ${field.key}: it is a table.`);
}

function limitOf(text: string): number {
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= MOST_FLOWS) return limit;
  throw new Problem('wrong-parameter', `limit: '${text}' is not a whole number from 1 to ${MOST_FLOWS}.`);
}

function queryOf({ filter = '', sort = 'bytes', order = 'desc', limit }: Parameters): FlowQuery {
  if (order !== 'desc' && order !== 'asc') throw new Problem('wrong-parameter', `order: '${order}' is neither asc nor desc.`);
  parseFilter(filter); // also where no interface runs that would ask it
  return {
    filter,
    sort: sortKey(sort),
    descending: order === 'desc',
    limit: limit === undefined ? DEFAULT_LIMIT : limitOf(limit),
  };
}

const fieldsOf = (text: string | undefined): Field[] | undefined =>
  text
    ?.split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .map(fieldOf);

export function flowsApi({ queryFlows, hosts }: ApiDependencies): Hono {
  async function ask(query: FlowQuery, request: AbortSignal): Promise<FlowAnswer[]> {
    const late = AbortSignal.timeout(LONGEST_MS);
    try {
      return await queryFlows(query, AbortSignal.any([request, late]));
    } catch (error) {
      if (late.aborted) throw new Problem('too-slow', `No answer within ${LONGEST_MS / 1000} s.`, { hint: 'a lower limit asks for less' });
      throw error;
    }
  }

  return new Hono().get('/', async (c) => {
    const given: Readonly<Record<string, string>> = c.req.query();
    const unknown = Object.keys(given).find((name) => !(PARAMETERS as readonly string[]).includes(name));
    if (unknown !== undefined) throw new Problem('wrong-parameter', `There is no parameter '${unknown}'.`, meant(unknown, PARAMETERS));
    const { fields, ...asked }: Parameters = given;
    try {
      const query = queryOf(asked);
      const wanted = fieldsOf(fields);
      return c.json(flowList(query, await ask(query, c.req.raw.signal), wanted, hosts));
    } catch (error) {
      if (error instanceof FilterError) throw filterProblem(error);
      throw error;
    }
  });
}
