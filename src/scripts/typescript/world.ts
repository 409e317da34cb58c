/**
 * The world of one TypeScript script. Trusted code, but it runs in the script's own realm: runtime.ts takes the text of this function
 * ({@link worldSource}) and compiles it in the `node:vm` context of the script, before anything of the script.
 *
 *   createWorld ──► lockRealm (world-realm.ts): globals
 *               ──► createInfos (world-info.ts): `info`
 *               ──► `flow`, `console`, the module 'flowpatrol'; loads and starts the script
 *
 * So the functions use nothing from outside of themselves. What keeps the two realms apart:
 *   - no object of the host's realm reaches the script: `host` stays in closures here, and its functions take and return primitives;
 *     tables travel as JSON text, exceptions of the host are caught here and become errors of this realm;
 *   - no object of the script's realm is looked at by the host: what fails here comes out as a text;
 *   - what the script may have changed (prototypes, globals) is not used after it has run: everything needed is taken beforehand.
 */

import { createInfos, type InfoField, type InfoSource } from './world-info.ts';
import { lockRealm } from './world-realm.ts';

/** A value that may cross between the realms. */
export type Primitive = string | number | boolean | undefined;

/** Functions of the host (runtime.ts). They may throw; texts are proper text. */
export interface WorldHost extends InfoSource {
  /** ms since 1970 by the traffic's clock; 0 outside an event. */
  now(): number;
  alert(type: string, severity: string, info: string | undefined, score: number | undefined, status: string | undefined): void;
  status(name: string, set: boolean): void;
  isStatusSet(name: string): boolean;
  setScore(of: string, value: number): void;
  scoreOf(of: string): number | undefined;
  print(level: string, text: string): void;
  cache(method: string, a: Primitive, b: Primitive, c: Primitive, d: Primitive): Primitive;
  translate(key: string, params: string): string | undefined;
}

/** JSON of this is the second argument. */
export interface WorldData {
  readonly fields: readonly InfoField[];
  readonly callbacks: readonly string[];
  readonly cacheMethods: readonly { readonly name: string; readonly json: boolean }[];
  readonly interfaceId: number;
  readonly interfaceName: string;
  /** Of Math.random. */
  readonly seed: number;
  /** Name of the global function that starts the script; it is gone when it runs. */
  readonly start: string;
}

/** What `start` answers behind a `D`, as JSON. */
export interface StartedScript {
  readonly key: unknown;
  readonly title: unknown;
  readonly description: unknown;
  readonly prio: unknown;
  readonly filter: unknown;
  readonly enabled: boolean;
  /** Callbacks with the texts of their functions. */
  readonly callbacks: Readonly<Record<string, string>>;
  /** Its other members. */
  readonly others: readonly string[];
}

/** Calls the callback. @param shared scripts have written to `info` in this event @returns undefined, or what failed (see `fail`) */
export type Enter = (
  shared: boolean,
  a: Primitive,
  b: Primitive,
  c: Primitive,
  d: Primitive,
  e: Primitive,
  f: Primitive,
  g: Primitive,
  h: Primitive,
) => string | undefined;

/** Made by {@link stageSource}: an `info` with the prepared fields, and the calls. */
export type StageMaker = (
  callback: unknown,
  definition: unknown,
  flow: object,
  prototype: object,
  wrap: (target: object, shared: boolean) => object,
  done: () => void,
  fail: (error: unknown) => string,
  apply: typeof Reflect.apply,
) => { readonly named: Enter; readonly whole: Enter };

export interface World {
  /** Adds a file's function; `imports` are files that were added before, or `flowpatrol`. */
  add(file: string, body: (...args: readonly unknown[]) => unknown, imports: string): void;
  /**
   * Makes the calls of one callback.
   * @param make what {@link stageSource} gave for the prepared keys
   * @param prepared JSON of the keys
   * @param named the callback does nothing with `info` but to read fields by their names
   */
  stage(callback: string, make: StageMaker, prepared: string, named: boolean): Enter;
  /** @returns undefined, or what failed */
  teardown(): string | undefined;
}

/** Source of a {@link StageMaker} for these fields, at most 8. Compiled for each callback, so that V8 sees one shape of `info` there. */
export function stageSource(keys: readonly string[]): string {
  const parameters = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  const taken = parameters.slice(0, keys.length).join(', ');
  return `'use strict'; (function (callback, definition, flow, prototype, wrap, done, fail, apply) {
  function Info(${taken}) { ${keys.map((key, i) => `this[${JSON.stringify(key)}] = ${parameters[i]};`).join(' ')} }
  Info.prototype = prototype;
  const whole = (shared, ${parameters.join(', ')}) => {
    try { apply(callback, definition, [wrap(new Info(${taken}), shared), flow]); }
    catch (error) { return fail(error); }
    finally { done(); }
    return undefined;
  };
  const named = (shared, ${parameters.join(', ')}) => {
    if (shared) return whole(shared, ${parameters.join(', ')});
    try { apply(callback, definition, [new Info(${taken}), flow]); }
    catch (error) { return fail(error); }
    finally { done(); }
    return undefined;
  };
  return { named, whole };
})`;
}

/** Source of a function `(host, json) => World`. */
export const worldSource = (): string => `'use strict'; ((host, json) => (${createWorld})(host, json, ${lockRealm}, ${createInfos}))`;

function createWorld(host: WorldHost, json: string, lock: typeof lockRealm, infos: typeof createInfos): World {
  const { parse, stringify } = JSON;
  const { apply, defineProperty, deleteProperty, getPrototypeOf, ownKeys } = Reflect;
  const { create, freeze } = Object;
  const ErrorOfRealm = Error;
  const TypeErrorOfRealm = TypeError;
  const text = String;
  const toSource = Function.prototype.toString;
  const globals = globalThis;
  const { fields, callbacks, cacheMethods, interfaceId, interfaceName, seed, start: startName } = parse(json) as WorldData;

  /** An exception of the host, without the object: only its message crosses. */
  const own = (error: unknown): Error => {
    const message = typeof error === 'object' && error !== null ? (error as Error).message : error;
    return new ErrorOfRealm(typeof message === 'string' ? message : 'the host failed');
  };

  /** A function of the host that throws errors of this realm. */
  const guarded =
    <A, B, R>(f: (a: A, b: B) => R) =>
    (a: A, b: B): R => {
      try {
        return f(a, b);
      } catch (error) {
        throw own(error);
      }
    };

  // Failures as text --------------------------------------------------------------------------------------------------------------
  /** `E` and the stack of an error, or `V` and the text of another value that was thrown. */
  const fail = (error: unknown): string => {
    try {
      if (typeof error === 'object' && error !== null) {
        const { stack } = error as { readonly stack?: unknown };
        if (typeof stack === 'string') return `E${stack}`;
      }
      return `V${text(error)}`;
    } catch {
      return 'Vwhat was thrown has no text';
    }
  };

  const now = guarded(() => host.now()) as () => number;
  lock(now, seed);
  const { prototypeBut, wrap, done } = infos(
    {
      read: guarded((field: number) => host.read(field)) as InfoSource['read'],
      all: guarded(() => host.all()) as InfoSource['all'],
      written: guarded(() => host.written()) as InfoSource['written'],
      write: guarded((key: string, value: string | undefined) => host.write(key, value)),
    },
    fields,
  );

  // `flow` and what 'flowpatrol' exports -------------------------------------------------------------------------------------------
  const check = (name: string, position: number, value: unknown): void => {
    const type = typeof value;
    if (type === 'string' || type === 'number' || type === 'boolean' || type === 'undefined') return;
    throw new TypeErrorOfRealm(`${name}: argument ${position} must be a text, a number or a boolean`);
  };
  /** A function of the host for scripts. The arguments are never in an array: what a script did to Array.prototype has no part in them. */
  const lend =
    (name: string, f: (...args: never[]) => unknown) =>
    (a?: unknown, b?: unknown, c?: unknown, d?: unknown, e?: unknown): unknown => {
      check(name, 1, a);
      check(name, 2, b);
      check(name, 3, c);
      check(name, 4, d);
      check(name, 5, e);
      try {
        return f(a as never, b as never, c as never, d as never, e as never);
      } catch (error) {
        throw own(error);
      }
    };

  /** A value as a line of output shows it. */
  const show = (value: unknown): string => {
    if (typeof value !== 'object' || value === null) return text(value);
    const { stack } = value as { readonly stack?: unknown };
    if (typeof stack === 'string') return stack;
    return stringify(value) ?? text(value);
  };
  const tell = guarded((level: string, line: string) => host.print(level, line));
  const print =
    (level: string) =>
    (...values: unknown[]): void => {
      let line = '';
      for (let i = 0; i < values.length; i++) line += (i === 0 ? '' : ' ') + show(values[i]);
      tell(level, line);
    };

  const cache = create(null) as Record<string, unknown>;
  for (const { name, json } of cacheMethods) {
    const call = lend(`cache.${name}`, (a: Primitive, b: Primitive, c: Primitive, d: Primitive) => host.cache(name, a, b, c, d));
    cache[name] = json
      ? (a?: unknown, b?: unknown, c?: unknown) => {
          const answer = call(a, b, c);
          return answer === undefined ? undefined : parse(answer as string);
        }
      : call;
  }
  freeze(cache);

  const alert = lend('flow.alert', (type: string, severity: string, more: string, score: number, status: string) =>
    host.alert(type, severity, more, score, status),
  );
  const setStatus = lend('flow.setStatus', (name: string) => host.status(name, true));
  const flow = freeze({
    alert(type: unknown, severity: unknown, more?: unknown, options?: { readonly score?: unknown; readonly status?: unknown }): void {
      alert(type, severity, more === undefined ? undefined : stringify(more), options?.score, options?.status);
    },
    setStatus,
    clearStatus: lend('flow.clearStatus', (name: string) => host.status(name, false)),
    isStatusSet: lend('flow.isStatusSet', (name: string) => host.isStatusSet(name)),
    setScore: lend('flow.setScore', (value: number, of: string = 'flow') => host.setScore(of, value)),
    score: lend('flow.score', (of: string = 'flow') => host.scoreOf(of)),
    cache,
    log(level: unknown, ...values: unknown[]): void {
      apply(print(text(level)), undefined, values);
    },
  });
  defineProperty(globals, 'console', {
    value: freeze({ log: print('print'), info: print('info'), debug: print('debug'), warn: print('warning'), error: print('error') }),
    writable: true,
    configurable: true,
  });

  const endpoint = (of: Record<string, unknown>, end: 'cli' | 'srv'): string => {
    const ip = text(of[`${end}.ip`] ?? '?');
    const port = of[`${end}.port`] ?? 0;
    if (port === 0) return ip;
    let ipv6 = false;
    for (let i = 0; i < ip.length; i++) if (ip[i] === ':') ipv6 = true;
    return `${ipv6 ? `[${ip}]` : ip}:${text(port)}`;
  };
  const translate = lend('i18n', (key: string, params: string) => host.translate(key, params));
  const exported = create(null) as Record<string, object>;
  exported.flowpatrol = freeze({
    defineScript: (definition: unknown): unknown => definition,
    cache,
    networkInterface: freeze({ id: interfaceId, name: interfaceName }),
    i18n: (key: unknown, params?: unknown): unknown => translate(key, stringify(params ?? {})) ?? key,
    shortFlowLabel: (of: Record<string, unknown>): string =>
      `[${text(of['proto.l4'] ?? '?')}] ${endpoint(of, 'cli')} -> ${endpoint(of, 'srv')} [${text(of['proto.ndpi'] ?? '?')}]`,
  });

  // Loading ------------------------------------------------------------------------------------------------------------------------
  interface File {
    readonly file: string;
    readonly body: (...args: readonly unknown[]) => unknown;
    readonly imports: readonly string[];
  }
  const files: File[] = [];
  let definition: Record<string, unknown> = {};
  const functions = create(null) as Record<string, unknown>;
  const generatorPrototype = getPrototypeOf(function* () {});

  /** Runs the files in order, then `setup()`. @returns `D` and what the script is, or what failed */
  const start = (): string => {
    deleteProperty(globals, startName);
    try {
      let last: { readonly default?: unknown } = {};
      for (let i = 0; i < files.length; i++) {
        const { file, body, imports } = files[i] as File;
        last = create(null) as typeof last;
        const args: unknown[] = [last];
        for (let k = 0; k < imports.length; k++) args[k + 1] = exported[imports[k] as string];
        apply(body, undefined, args);
        exported[file] = freeze(last);
      }
      const answer = describe(last.default);
      return typeof answer === 'string' ? `V${answer}` : `D${stringify(answer)}`;
    } catch (error) {
      return fail(error);
    }
  };

  /** @returns what the script is, or why it is none */
  const describe = (from: unknown): StartedScript | string => {
    if (typeof from !== 'object' || from === null) return 'the file must have `export default defineScript({ … })`';
    definition = from as Record<string, unknown>;
    const { key, title, description, prio, filter, setup, teardown } = definition;
    if (typeof key !== 'string' || key === '') return 'the script has no `key`';
    if (setup !== undefined && typeof setup !== 'function') return `\`setup\` must be a function, it is a ${typeof setup}`;
    if (teardown !== undefined && typeof teardown !== 'function') return `\`teardown\` must be a function, it is a ${typeof teardown}`;
    const found = create(null) as Record<string, string>;
    for (let i = 0; i < callbacks.length; i++) {
      const name = callbacks[i] as string;
      const callback = definition[name];
      if (callback === undefined) continue;
      if (typeof callback !== 'function') return `\`${name}\` must be a function, it is a ${typeof callback}`;
      if (getPrototypeOf(callback) === generatorPrototype)
        return `\`${name}\` must be a plain function: nobody takes what a generator yields`;
      functions[name] = callback;
      found[name] = apply(toSource, callback, []);
    }
    const others: string[] = [];
    const names = ownKeys(definition);
    for (let i = 0; i < names.length; i++) {
      const name = names[i];
      if (typeof name === 'string' && found[name] === undefined) others[others.length] = name;
    }
    const enabled = setup === undefined || apply(setup, definition, []) !== false;
    return { key, title, description, prio, filter, enabled, callbacks: found, others };
  };
  defineProperty(globals, startName, { value: start, configurable: true });

  return {
    add(file, body, imports) {
      files[files.length] = { file, body, imports: parse(imports) as readonly string[] };
    },
    stage(callback, make, prepared, named) {
      const enters = make(functions[callback], definition, flow, prototypeBut(parse(prepared)), wrap, done, fail, apply);
      return named ? enters.named : enters.whole;
    },
    teardown() {
      try {
        const { teardown } = definition;
        if (typeof teardown === 'function') apply(teardown, definition, []);
      } catch (error) {
        return fail(error);
      }
      return undefined;
    },
  };
}
