/**
 * The OpenAPI document (3.1, https://spec.openapis.org/oas/v3.1.0) of the routes: their schemas are JSON Schema already, so it only
 * puts them where the format wants them. Served at /api/v1/openapi.json; page.ts makes the page for people.
 */
import type { TSchema } from '@sinclair/typebox';
import { API } from './address.ts';
import { PROBLEMS, type ProblemCode } from './problems.ts';
import type { Route } from './route.ts';

const PROBLEM_SCHEMA = {
  type: 'object',
  required: ['type', 'code', 'title', 'status', 'detail'],
  properties: {
    type: { type: 'string', description: 'urn:flowpatrol:problem:CODE' },
    code: { type: 'string', enum: Object.keys(PROBLEMS) },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    hint: { type: 'string', description: 'what to do' },
    position: { type: 'integer', description: 'of the part of a filter that is wrong' },
    length: { type: 'integer' },
    reason: { type: 'string', description: 'code of the filter language' },
    retryAfter: { type: 'integer', description: 's' },
  },
} as const;

export interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description?: string;
  /** Who may. */
  readonly 'x-role': Route['role'];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters: readonly Readonly<Record<string, unknown>>[];
  readonly requestBody?: { readonly required: true; readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: object }>>;
}

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string; readonly license: object };
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: object;
}

function parametersOf({ path, query }: Route): Readonly<Record<string, unknown>>[] {
  const ofPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  const ofQuery = Object.entries(query.properties as Record<string, TSchema>).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: schema.default === undefined && (query.required ?? []).includes(name),
    ...(description === undefined ? {} : { description }),
    schema,
  }));
  return [...ofPath, ...ofQuery];
}

/** What can go wrong with any request. */
const always = ({ role, query, body, path }: Route): ProblemCode[] => [
  ...(role === 'anyone' ? [] : (['not-authenticated', 'not-allowed'] as const)),
  ...(Object.keys(query.properties).length > 0 || path.includes('{') ? (['wrong-parameter'] as const) : []),
  ...(body === undefined ? [] : (['wrong-body', 'body-too-large'] as const)),
];

function problemsOf(route: Route): Operation['responses'] {
  const codes = [...new Set([...always(route), ...(route.problems ?? [])])];
  const byStatus = Map.groupBy(codes, (code) => PROBLEMS[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, of]) => [
      String(status),
      {
        description: of.map((code) => `\`${code}\`: ${PROBLEMS[code].title}`).join('; '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

function operationOf(route: Route): Operation {
  const { method, path, tag, summary, doc, role, body, answer, consumes, produces, status = 200 } = route;
  const words = path.split(/[/{}-]+/).filter((word) => word !== '');
  const content = produces === undefined ? { 'application/json': { schema: answer } } : { [produces]: { schema: { type: 'string' } } };
  const taken = consumes !== undefined ? { [consumes]: { schema: { type: 'string', format: 'binary' } } } : undefined;
  const requestBody = taken ?? (body === undefined ? undefined : { 'application/json': { schema: body } });
  return {
    operationId: [method, ...words].map((word, i) => (i === 0 ? word : word[0]?.toUpperCase() + word.slice(1))).join(''),
    tags: [tag],
    summary,
    ...(doc === undefined ? {} : { description: doc }),
    'x-role': role,
    security: role === 'anyone' ? [] : [{ session: [] }, { token: [] }],
    parameters: parametersOf(route),
    ...(requestBody === undefined ? {} : { requestBody: { required: true, content: requestBody } }),
    responses: { [String(status)]: { description: 'done', content }, ...problemsOf(route) },
  };
}

export function openApiDocument(routes: readonly Route[], version: string): OpenApiDocument {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route) };
  return {
    openapi: '3.1.0',
    info: {
      title: 'flowpatrol',
      version,
      description: 'Flows, alerts, scripts and settings of a running flowpatrol. Times are µs since 1970 unless they say otherwise.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: API }],
    paths,
    components: {
      schemas: { Problem: PROBLEM_SCHEMA },
      securitySchemes: {
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'flowpatrol-PORT',
          description: 'Made by POST /session. Requests that change something carry its `csrf` in the header X-CSRF-Token.',
        },
        token: { type: 'http', scheme: 'bearer', description: 'Made by POST /tokens.' },
      },
    },
  };
}
