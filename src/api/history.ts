/** Flows and figures of the past: from the store, not from the interfaces. */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Type } from '@sinclair/typebox';
import type { ExportFormat } from '../store/history.ts';
import type { ApiDependencies } from './dependencies.ts';
import { checkFilter, fieldOf, fieldsOf, sortKey } from './flows.ts';
import { object, oneOf, type Route, route } from './route.ts';
import {
  FieldsParameter,
  FieldValueSchema,
  FilterParameter,
  FlowRowSchema,
  FromParameter,
  InterfaceParameter,
  limitParameter,
  OffsetParameter,
  OrderParameter,
} from './schemas.ts';
import { whereOf } from './where.ts';

const MEDIA_TYPES: Readonly<Record<ExportFormat, string>> = {
  csv: 'text/csv; charset=utf-8',
  jsonl: 'application/jsonl',
  parquet: 'application/vnd.apache.parquet',
};

/** What a row has beside the fields of its flow: it may be sorted by its time, and asking for it is no mistake. */
const OF_THE_ROW = ['time', 'interface', 'ended'];
const orderKey = (name: string): string => (name === 'time' ? name : sortKey(name));
const ofFlow = (fields: string | undefined): string | undefined =>
  fields
    ?.split(',')
    .filter((name) => !OF_THE_ROW.includes(name.trim()))
    .join(',');

/** The file as an answer; it is gone when it has been sent, or the one who asked has gone. */
async function sent(file: string, done: () => void, headers: Record<string, string>): Promise<Response> {
  const { size } = await stat(file);
  const stream = createReadStream(file);
  stream.once('close', done);
  return new Response(Readable.toWeb(stream) as ReadableStream, { headers: { ...headers, 'content-length': String(size) } });
}

export function historyRoutes({ history }: ApiDependencies): Route[] {
  if (history === undefined) return [];
  return [
    route({
      method: 'get',
      path: '/history/flows',
      role: 'viewer',
      tag: 'history',
      summary: 'Flows that have ended, and parts of those that last',
      problems: ['wrong-filter', 'unknown-field', 'history-refused'],
      query: object({
        filter: FilterParameter,
        interface: InterfaceParameter,
        from: FromParameter,
        to: FromParameter,
        sort: Type.String({ default: 'seen.last', description: 'a field, or `time`: that of the row' }),
        order: OrderParameter,
        limit: limitParameter(10_000, 100),
        offset: OffsetParameter,
        fields: FieldsParameter,
      }),
      answer: object({
        total: Type.Integer({ description: 'that match, whatever the page' }),
        flows: Type.Array(object({ time: Type.Number(), interface: Type.String(), ended: Type.Boolean(), flow: FlowRowSchema })),
      }),
      async handle({ query: { filter = '', sort, order, limit, offset, fields, ...where } }) {
        checkFilter(filter);
        const wanted = fieldsOf(ofFlow(fields));
        const { rows, total } = await history.flows({
          filter,
          ...whereOf(where),
          sort: orderKey(sort),
          descending: order === 'desc',
          limit,
          offset,
          ...(wanted === undefined ? {} : { fields: wanted.map(({ key }) => key) }),
        });
        return { total, flows: rows };
      },
    }),
    route({
      method: 'get',
      path: '/history/top',
      role: 'viewer',
      tag: 'history',
      summary: 'The largest values of a field: top talkers, protocols, countries',
      problems: ['wrong-filter', 'unknown-field', 'history-refused'],
      query: object({
        by: Type.String({ description: 'a field: cli.ip, srv.ip, proto.ndpi, srv.country …' }),
        of: oneOf(['bytes', 'packets', 'flows'] as const, { default: 'bytes' }),
        filter: FilterParameter,
        interface: InterfaceParameter,
        from: FromParameter,
        to: FromParameter,
        limit: limitParameter(1000, 10),
      }),
      answer: object({ top: Type.Array(object({ value: FieldValueSchema, sum: Type.Number() })) }),
      async handle({ query: { by, of, filter = '', limit, ...where } }) {
        checkFilter(filter);
        return { top: await history.top({ by: fieldOf(by).key, of, filter, limit, ...whereOf(where) }) };
      },
    }),
    route({
      method: 'get',
      path: '/history/series',
      role: 'viewer',
      tag: 'history',
      summary: 'Figures over time: `bytes`, `packets`, `flows`, `alerts`, `protocol:NAME` (bytes)',
      problems: ['wrong-filter', 'history-refused'],
      query: object({
        names: Type.String({ description: 'separated by commas', default: 'bytes' }),
        interface: InterfaceParameter,
        filter: Type.Optional(
          Type.String({
            maxLength: 4096,
            description: 'sums of the flows that match, at the times of their rows: `bytes`, `packets`, `flows`',
          }),
        ),
        from: Type.Integer({ minimum: 0, description: 'µs since 1970' }),
        to: Type.Integer({ minimum: 0, description: 'µs since 1970' }),
        points: Type.Integer({ minimum: 1, maximum: 10_000, default: 500, description: 'at most; the store picks the step' }),
      }),
      answer: object({
        points: Type.Array(object({ time: Type.Number(), interface: Type.String(), name: Type.String(), value: Type.Number() })),
      }),
      async handle({ query: { names, filter = '', points, ...where } }) {
        checkFilter(filter);
        const wanted = names.split(',').map((each) => each.trim());
        return { points: await history.series({ ...where, names: wanted, points, ...(filter === '' ? {} : { filter }) }) };
      },
    }),
    route({
      method: 'get',
      path: '/history/export',
      role: 'viewer',
      tag: 'history',
      summary: 'All flows that match, as a file',
      problems: ['wrong-filter', 'unknown-field', 'history-refused'],
      produces: 'application/octet-stream',
      query: object({
        format: oneOf(['csv', 'jsonl', 'parquet'] as const, { default: 'csv' }),
        filter: FilterParameter,
        interface: InterfaceParameter,
        from: FromParameter,
        to: FromParameter,
        sort: Type.String({ default: 'seen.last' }),
        order: OrderParameter,
      }),
      async handle({ query: { format, filter = '', sort, order, ...where } }) {
        checkFilter(filter);
        const folder = await mkdtemp(join(tmpdir(), 'flowpatrol-export-'));
        const gone = (): void => void rm(folder, { recursive: true, force: true });
        try {
          const file = join(folder, `flows.${format}`);
          const wanted = { filter, ...whereOf(where), sort: orderKey(sort), descending: order === 'desc' };
          await history.exportFlows(wanted, format, file);
          return await sent(file, gone, {
            'content-type': MEDIA_TYPES[format],
            'content-disposition': `attachment; filename="flows.${format}"`,
          });
        } catch (error) {
          gone();
          throw error;
        }
      },
    }),
  ];
}
