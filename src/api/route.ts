/**
 * One operation of the programming interface, declared once: method, path, who may, what it takes and gives. Types, checks
 * (app.ts), the OpenAPI document (openapi.ts) and the audit log are derived from it.
 *
 *   request ──► role ──► query and body by their schemas ──► handle ──► answer by its schema
 */
import { Kind, type Static, type TObject, type TSchema, Type, TypeRegistry } from '@sinclair/typebox';
import type { Context } from 'hono';
import type { ProblemCode } from './problems.ts';
import type { Role, Who } from './roles.ts';

export type Method = 'get' | 'post' | 'put' | 'delete';

type ReadonlyDeep<T> = T extends (infer U)[]
  ? readonly ReadonlyDeep<U>[]
  : T extends object
    ? { readonly [K in keyof T]: ReadonlyDeep<T[K]> }
    : T;

/** What a handler gets, checked. */
export interface Asked<Q, B> {
  readonly query: Q;
  readonly body: B;
  /** A part of the path. */
  param(name: string): string;
  readonly who: Who;
  readonly request: Request;
  readonly context: Context;
}

interface Common {
  readonly method: Method;
  /** Below the version, parts in braces: `/scripts/{key}`. */
  readonly path: string;
  /** Who may; `anyone` is not even known. */
  readonly role: Role | 'anyone';
  readonly tag: string;
  /** One line. */
  readonly summary: string;
  /** Further sentences. */
  readonly doc?: string;
  /** What can go wrong beyond what always can. */
  readonly problems?: readonly ProblemCode[];
  /** Media type of an answer that is no JSON: the handler then gives a `Response`. */
  readonly produces?: string;
  /** Media type of a body that is no JSON: the handler reads it. */
  readonly consumes?: string;
  /** 200 without it. */
  readonly status?: 201 | 202;
}

export interface Route extends Common {
  readonly query: TObject;
  readonly body: TSchema | undefined;
  readonly answer: TSchema;
  handle(asked: Asked<unknown, unknown>): unknown;
}

interface RouteOf<Q extends TObject, B extends TSchema, A extends TSchema> extends Common {
  readonly query?: Q;
  readonly body?: B;
  readonly answer?: A;
  handle(
    asked: Asked<ReadonlyDeep<Static<Q>>, ReadonlyDeep<Static<B>>>,
  ): ReadonlyDeep<Static<A>> | Response | Promise<ReadonlyDeep<Static<A>> | Response>;
}

const NOTHING = Type.Object({});

export function route<Q extends TObject = TObject, B extends TSchema = TSchema, A extends TSchema = TSchema>(
  declared: RouteOf<Q, B, A>,
): Route {
  const { query, body, answer, handle, ...common } = declared;
  return {
    ...common,
    query: query ?? NOTHING,
    body,
    answer: answer ?? Type.Unknown(),
    // checked by app.ts against the schemas that the types were made of
    handle: (asked) => handle(asked as Asked<ReadonlyDeep<Static<Q>>, ReadonlyDeep<Static<B>>>),
  };
}

/** An object that has these members and no others. */
export const object = <T extends Record<string, TSchema>>(members: T, options: { description?: string; examples?: unknown[] } = {}) =>
  Type.Object(members, { additionalProperties: false, ...options });

/** JSON Schema says it shorter than TypeBox, which would make a union of it: so it is a kind of our own. */
const ONE_OF = 'OneOf';
TypeRegistry.Set<{ readonly enum: readonly unknown[] }>(ONE_OF, (schema, value) => schema.enum.includes(value));

/** One of some words. */
export const oneOf = <const T extends string>(words: readonly T[], options: { description?: string; default?: NoInfer<T> } = {}) =>
  Type.Unsafe<T>({ [Kind]: ONE_OF, type: 'string', enum: [...words], ...options });
