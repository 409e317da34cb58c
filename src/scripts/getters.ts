/** The `flow.get…` functions that return a part of `info` as a table of its own: name → keys. Fields say which one has them. */
import { FIELDS } from '../flows/fields.ts';

// without a prototype: who looks up the name of a member of a script must not find `toString`
const getters: Record<string, string[]> = Object.create(null);
for (const { key, getter } of FIELDS) if (getter !== undefined) (getters[getter] ??= []).push(key);

export const GETTERS: Readonly<Record<string, readonly string[]>> = getters;
