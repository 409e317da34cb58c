/**
 * What the functions of a TypeScript script do: `flow`, `console`, `cache`, `i18n`. They are called from the script's world (world.ts),
 * which hands over primitives in proper text and catches what is thrown.
 */
import { properText } from '../../flows/export.ts';
import { STATUSES } from '../../flows/statuses.ts';
import { ALERT_TYPES, SEVERITIES } from '../alert-types.ts';
import type { ScriptCache } from '../cache.ts';
import type { PrintLevel, RuntimeHost, ScoreOf } from '../runtime.ts';
import type { Primitive, WorldHost } from './world.ts';

/** What scripts call the statuses: without `status_`. */
export const STATUS_IDS: ReadonlyMap<string, number> = new Map(STATUSES.map(({ name, id }) => [name.replace(/^status_/, ''), id]));
const ALERT_IDS: ReadonlyMap<string, number> = new Map(ALERT_TYPES.map(({ name, id }) => [name, id]));
const SEVERITY_IDS: ReadonlyMap<string, number> = new Map(SEVERITIES.map((name, id) => [name, id]));
const LEVELS = ['print', 'error', 'warning', 'normal', 'info', 'debug'] as const satisfies readonly PrintLevel[];
const SCORES = ['flow', 'client', 'server'] as const satisfies readonly ScoreOf[];
/** As in Lua (lua/world/statuses.lua). */
const MOST_OF_ALERT = 1000;
const MOST_SCORE = 65_534;

/** A text as its UTF-8 bytes, one character each. */
const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

function idOf(ids: ReadonlyMap<string, number>, what: string, name: unknown): number {
  const id = ids.get(String(name));
  if (id === undefined) throw new Error(`there is no ${what} '${name}'; there are: ${[...ids.keys()].join(', ')}`);
  return id;
}

function oneOf<T extends string>(names: readonly T[], what: string, name: unknown): T {
  if ((names as readonly unknown[]).includes(name)) return name as T;
  throw new Error(`there is no ${what} '${name}'; there are: ${names.join(', ')}`);
}

/** A whole number from 0 to `most`, the nearest one to what was given. */
function whole(score: unknown, most: number): number {
  if (typeof score !== 'number' || Number.isNaN(score)) throw new Error(`a score is a number, not ${score}`);
  return Math.floor(Math.max(0, Math.min(most, score)));
}

type Arguments = readonly Primitive[];

/** A text for the cache. */
function text(args: Arguments, at: number): string {
  const value = args[at];
  if (typeof value === 'string') return latin1(value);
  throw new TypeError(`argument ${at + 1} must be a text, it is ${value === undefined ? 'missing' : `a ${typeof value}`}`);
}

function number(args: Arguments, at: number, otherwise?: number): number {
  const value = args[at] ?? otherwise;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new TypeError(`argument ${at + 1} must be a number`);
}

const proper = (value: string | undefined): string | undefined => (value === undefined ? undefined : properText(value));
const list = (values: readonly string[]): string => JSON.stringify(values.map(properText));
const end = (args: Arguments, at: number): 'left' | 'right' => oneOf(['left', 'right'], 'end of a list', args[at]);

/** The methods of ScriptCache as scripts have them; arrays and objects are returned as JSON. */
const CACHE: { readonly [K in keyof ScriptCache]: (cache: ScriptCache, args: Arguments) => unknown } = {
  get: (cache, args) => proper(cache.get(text(args, 0))),
  set: (cache, args) => cache.set(text(args, 0), text(args, 1), number(args, 2, 0)),
  delete: (cache, args) => cache.delete(text(args, 0)),
  increment: (cache, args) => cache.increment(text(args, 0), number(args, 1, 1)),
  expire: (cache, args) => cache.expire(text(args, 0), number(args, 1)),
  keys: (cache, args) => list(cache.keys(text(args, 0))),
  hashGet: (cache, args) => proper(cache.hashGet(text(args, 0), text(args, 1))),
  hashSet: (cache, args) => cache.hashSet(text(args, 0), text(args, 1), text(args, 2)),
  hashDelete: (cache, args) => cache.hashDelete(text(args, 0), text(args, 1)),
  hashAll(cache, args) {
    const all = cache.hashAll(text(args, 0));
    return all && JSON.stringify(Object.fromEntries([...all].map(([key, value]) => [properText(key), properText(value)])));
  },
  setAdd: (cache, args) => cache.setAdd(text(args, 0), text(args, 1)),
  setRemove: (cache, args) => cache.setRemove(text(args, 0), text(args, 1)),
  setHas: (cache, args) => cache.setHas(text(args, 0), text(args, 1)),
  setMembers: (cache, args) => list(cache.setMembers(text(args, 0))),
  listPush: (cache, args) =>
    cache.listPush(text(args, 0), text(args, 1), end(args, 2), args[3] === undefined ? undefined : number(args, 3)),
  listPop: (cache, args) => proper(cache.listPop(text(args, 0), end(args, 1))),
  listLength: (cache, args) => cache.listLength(text(args, 0)),
  listRange: (cache, args) => list(cache.listRange(text(args, 0), number(args, 1), number(args, 2))),
};

const WITH_JSON: readonly string[] = ['keys', 'hashAll', 'setMembers', 'listRange'];
/** Names of the cache's methods, and whether they answer in JSON. */
export const CACHE_METHODS = Object.keys(CACHE).map((name) => ({ name, json: WITH_JSON.includes(name) }));

type Library = Pick<WorldHost, 'alert' | 'status' | 'isStatusSet' | 'setScore' | 'scoreOf' | 'print' | 'cache' | 'translate'>;

/** @param script its number */
export function createLibrary({ effects, cache, translate }: RuntimeHost, script: number): Library {
  return {
    alert(type, severity, info, score, status) {
      effects.alert(script, {
        alertType: idOf(ALERT_IDS, 'type of alerts', type),
        alertTypeName: type,
        severity: idOf(SEVERITY_IDS, 'severity', severity),
        severityName: severity,
        ...(score === undefined ? {} : { score: whole(score, MOST_OF_ALERT) }),
        ...(status === undefined ? {} : { status: idOf(STATUS_IDS, 'status', status) }),
        ...(info === undefined ? {} : { info: latin1(info) }),
      });
    },
    status: (name, set) => effects.status(script, idOf(STATUS_IDS, 'status', name), set),
    isStatusSet: (name) => effects.isStatusSet(idOf(STATUS_IDS, 'status', name)),
    setScore: (of, score) => effects.score(script, oneOf(SCORES, 'score of', of), whole(score, MOST_SCORE)),
    scoreOf: (of) => effects.scoreOf(oneOf(SCORES, 'score of', of)),
    print(name, lines) {
      const level = oneOf(LEVELS, 'level', name);
      for (const line of lines.split(/\r?\n/)) effects.print(script, level, line);
    },
    cache: (method, ...args) => CACHE[method as keyof ScriptCache](cache, args) as Primitive,
    translate: (key, params) => translate(key, JSON.parse(params) as Record<string, string | number>),
  };
}
