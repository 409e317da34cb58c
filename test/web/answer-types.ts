/**
 * Types of what the programming interface answers, made of the schemas of its routes: schemas in, TypeScript out. So a shape is stated once,
 * in src/api, and the pages cannot think of another one.
 *
 *   node test/web/answer-types.ts      writes web/src/core/answers.ts; answers.test.ts says when that is needed
 */
import { realpathSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ApiDependencies } from '../../src/api/dependencies.ts';
import { allRoutes } from '../../src/api/routes.ts';

export const FILE = fileURLToPath(new URL('../../web/src/core/answers.ts', import.meta.url));

/** Operations whose answers have no type of the program (src/patrol-types.ts, src/alerts …) that pages could use. */
const WANTED = [
  'GET /session',
  'GET /status',
  'GET /fields',
  'GET /flows/{id}',
  'GET /hosts',
  'GET /history/flows',
  'GET /history/top',
  'GET /history/series',
  'GET /alerts/groups',
  'GET /notifications',
  'GET /dead-letters',
  'POST /scripts/{key}/test',
  'GET /users',
  'GET /tokens',
  'GET /audit',
];

/** JSON Schema as the routes use it. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, Schema>>;
}

const SIMPLE: Readonly<Record<string, string>> = {
  number: 'number',
  integer: 'number',
  string: 'string',
  boolean: 'boolean',
  null: 'null',
};
const nameOf = (key: string): string => (/^[a-z_$][\w$]*$/i.test(key) ? key : `'${key}'`);
const both = (of: readonly string[]): string => [...new Set(of)].join(' | ');

function typeOf(schema: Schema, indent: string): string {
  const { type, anyOf, items, properties, required = [], patternProperties } = schema;
  if (schema.enum !== undefined) return both(schema.enum.map((word) => `'${word}'`));
  if (schema.const !== undefined) return typeof schema.const === 'string' ? `'${schema.const}'` : String(schema.const);
  if (anyOf !== undefined) return both(anyOf.map((each) => typeOf(each, indent)));
  if (typeof type === 'object') return type.includes('object') ? 'unknown' : both(type.map((each) => SIMPLE[each] ?? 'unknown'));
  if (type === 'array') return `readonly (${typeOf(items ?? {}, indent)})[]`;
  if (properties !== undefined) {
    const inner = `${indent}  `;
    const members = Object.entries(properties).map(([key, member]) => {
      const says = member.description === undefined ? '' : `${inner}/** ${member.description} */\n`;
      return `${says}${inner}readonly ${nameOf(key)}${required.includes(key) ? '' : '?'}: ${typeOf(member, inner)};\n`;
    });
    return members.length === 0 ? 'object' : `{\n${members.join('')}${indent}}`;
  }
  if (type === 'object') {
    const of = Object.values(patternProperties ?? {})[0];
    return `Readonly<Record<string, ${of === undefined ? 'unknown' : typeOf(of, indent)}>>`;
  }
  return SIMPLE[type ?? ''] ?? 'unknown';
}

/** Routes are declared by functions of what they need; to be declared they need nothing of it. */
const nothing: unknown = new Proxy(() => {}, { get: () => nothing });

/** @returns the text of the file */
export function answerTypes(): string {
  const routes = allRoutes(new Proxy({}, { get: () => nothing }) as ApiDependencies);
  const answers = new Map(routes.map(({ method, path, answer }) => [`${method.toUpperCase()} ${path}`, answer as Schema]));
  const members = WANTED.map((name) => {
    const schema = answers.get(name);
    if (schema === undefined) throw new Error(`There is no operation ${name}.`);
    return `  readonly '${name}': ${typeOf(schema, '  ')};\n`;
  });
  return `/** What the programming interface answers. Made by \`node test/web/answer-types.ts\` of the schemas in src/api; do not edit. */
// biome-ignore format: made
export interface Answers {
${members.join('')}}
`;
}

if (process.argv[1] && realpathSync(process.argv[1]) === realpathSync(fileURLToPath(import.meta.url))) writeFileSync(FILE, answerTypes());
