/**
 * The fields of a flow: the one declaration of the keys of `info`, their types, units and meanings, and how each is read
 * from a lifecycle event.
 *
 *   EventView ──► FIELDS ──► Lua `info`, TypeScript `info`, JSON lines
 *                   └──────► derived/: types for scripts, JSON schema, database and table columns, docs/reference/flow-info.md
 *
 * The files of fields/ hold a group each. A new field is declared there and appears everywhere.
 */
import { APPLICATION } from './fields/application.ts';
import { COLLECTED } from './fields/collected.ts';
import { ENDPOINTS } from './fields/endpoints.ts';
import type { Field } from './fields/field.ts';
import { PROTOCOLS } from './fields/protocols.ts';
import { STATE } from './fields/state.ts';
import { TCP_FIELDS } from './fields/tcp.ts';
import { TRAFFIC } from './fields/traffic.ts';

export type { Field, FieldTable, FieldValue } from './fields/field.ts';

/** All keys, also those that no flow of ours ever has. */
export const DECLARED: readonly Field[] = [...ENDPOINTS, ...COLLECTED, ...STATE, ...PROTOCOLS, ...TRAFFIC, ...TCP_FIELDS, ...APPLICATION];

/** The keys that flows have. */
export const FIELDS: readonly Field[] = DECLARED.filter((field) => field.never !== true);

export const fieldByKey: ReadonlyMap<string, Field> = new Map(FIELDS.map((field) => [field.key, field]));
