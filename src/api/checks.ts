/** Requests against their schemas: texts of a query become numbers and switches, bodies are read and checked. Called by app.ts. */
import type { TObject, TSchema } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { nearest } from '../nearest.ts';
import { Problem } from './problems.ts';

/** Room for the longest list of servers. */
export const MOST_BODY = 64 << 10;

export const meant = (word: string, candidates: readonly string[]): { hint?: string } => {
  const near = nearest(word, candidates);
  return near === undefined ? {} : { hint: `did you mean ${near}?` };
};

/** What a parameter may be, in words. */
function wanted({ type, minimum, maximum, enum: words }: TSchema): string {
  if (words !== undefined) return `one of ${(words as string[]).join(', ')}`;
  if (type === 'integer') return `a whole number from ${minimum ?? 0} to ${maximum ?? Number.MAX_SAFE_INTEGER}`;
  if (type === 'boolean') return 'true or false';
  return 'a text of that form';
}

function read(text: string, { type }: TSchema): unknown {
  if (type === 'integer') return /^-?\d{1,16}$/.test(text) ? Number(text) : text;
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}

/**
 * @returns the parameters of an address; those that are not given have the default of the schema
 * @throws Problem `wrong-parameter`, also for one that is not declared
 */
export function checkQuery(schema: TObject): (url: string) => unknown {
  const names = Object.keys(schema.properties);
  const checks = new Map(names.map((name) => [name, TypeCompiler.Compile(schema.properties[name] as TSchema)]));
  const required = new Set(schema.required ?? []);
  return (url) => {
    const found: Record<string, unknown> = {};
    for (const name of names) {
      const fallback = schema.properties[name]?.default as unknown;
      if (fallback !== undefined) found[name] = fallback;
    }
    const seen = new Set<string>();
    for (const [name, text] of new URL(url).searchParams) {
      const declared = schema.properties[name];
      const check = checks.get(name);
      if (declared === undefined || check === undefined) {
        throw new Problem('wrong-parameter', `There is no parameter '${name}'.`, meant(name, names));
      }
      if (seen.has(name)) throw new Problem('wrong-parameter', `${name} is given twice.`);
      seen.add(name);
      const value = read(text, declared);
      if (!check.Check(value)) throw new Problem('wrong-parameter', `${name}: '${text}' is not ${wanted(declared)}.`);
      found[name] = value;
    }
    const missing = [...required].find((name) => found[name] === undefined);
    if (missing !== undefined) throw new Problem('wrong-parameter', `The parameter '${missing}' is missing.`);
    return found;
  };
}

/** @throws Problem `wrong-body`, with an example where the schema has one */
export function checkBody(schema: TSchema): (value: unknown) => unknown {
  const check = TypeCompiler.Compile(schema);
  const example = (schema.examples as unknown[] | undefined)?.[0];
  const hint = example === undefined ? {} : { hint: `for example ${JSON.stringify(example)}` };
  return (value) => {
    if (check.Check(value)) return value;
    const first = check.Errors(value).First();
    const where = first === undefined || first.path === '' ? 'the body' : first.path;
    const words = first?.schema.enum as readonly string[] | undefined;
    const what = words === undefined ? (first?.message ?? 'not what is wanted') : `not one of ${words.join(', ')}`;
    throw new Problem('wrong-body', `${where}: ${what}.`, hint);
  };
}

/** The bytes of a body, no more than `most`. @throws Problem `body-too-large` */
export async function* limited(request: Request, most: number): AsyncGenerator<Uint8Array> {
  const tooLarge = (): Problem => new Problem('body-too-large', `At most ${most} bytes.`);
  if (Number(request.headers.get('content-length') ?? 0) > most) throw tooLarge();
  if (request.body === null) return;
  let size = 0;
  for await (const part of request.body as unknown as AsyncIterable<Uint8Array>) {
    size += part.length;
    if (size > most) throw tooLarge();
    yield part;
  }
}

/** @returns undefined for what is no JSON */
export async function readJson(request: Request): Promise<unknown> {
  const parts: Uint8Array[] = [];
  for await (const part of limited(request, MOST_BODY)) parts.push(part);
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch {
    return undefined;
  }
}

const LONGEST_DETAIL = 1000;

/** A body for the audit log: what its schema says is only written (`writeOnly`: passwords) is left out. */
export function withoutSecrets(schema: TSchema, body: unknown): string {
  const members = (schema.properties ?? {}) as Readonly<Record<string, TSchema>>;
  const text = JSON.stringify(body, (key, value: unknown) => (members[key]?.writeOnly === true ? '…' : value));
  return text.length > LONGEST_DETAIL ? `${text.slice(0, LONGEST_DETAIL)}…` : text;
}
