/**
 * The world of one TypeScript script. Trusted code, but it runs in the script's own realm: runtime.ts takes the text of `createWorld`
 * and compiles it in the `node:vm` context of the script, before anything of the script.
 *
 * So the function uses nothing from outside of itself. What keeps the two realms apart:
 *   - no object of the host's realm reaches the script: `host` stays in closures here, and its functions take and return primitives;
 *     tables travel as JSON text, exceptions of the host are caught here and become errors of this realm;
 *   - no object of the script's realm is looked at by the host: what fails here comes out as a text;
 *   - what the script may have changed (prototypes, globals) is not used after it has run: everything needed is taken beforehand.
 */

/** A value that may cross between the realms. */
export type Primitive = string | number | boolean | undefined;

/** Functions of the host (runtime.ts). They may throw; texts are proper text. */
export interface WorldHost {
  /** Value of a field of the current event; of a table as JSON. */
  read(field: number): Primitive;
  /** JSON of all fields that the current event has. */
  all(): string;
  /** JSON of what scripts have written to `info` in this event, by key; null stands for a removed key. */
  written(): string;
  write(key: string, json: string | undefined): void;
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
  readonly fields: readonly { readonly key: string; readonly table: boolean }[];
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

export function createWorld(host: WorldHost, json: string): World {
  const { parse, stringify } = JSON;
  const { apply, construct, defineProperty, deleteProperty, getOwnPropertyDescriptor, getPrototypeOf, has, isExtensible, ownKeys } =
    Reflect;
  const { preventExtensions, set: setProperty, setPrototypeOf } = Reflect;
  const { create, freeze } = Object;
  const ObjectPrototype = Object.prototype;
  const ErrorOfRealm = Error;
  const TypeErrorOfRealm = TypeError;
  const ProxyOfRealm = Proxy;
  const text = String;
  const toSource = Function.prototype.toString;
  const { fields, callbacks, cacheMethods, interfaceId, interfaceName, seed, start: startName } = parse(json) as WorldData;

  // What a script must not have: other threads' memory, code from text, whatever runs when a call is over ---------------------------
  const globals = globalThis as unknown as Record<string, unknown>;
  for (const name of [
    'Promise',
    'AsyncDisposableStack',
    'WeakRef',
    'FinalizationRegistry',
    'WebAssembly',
    'SharedArrayBuffer',
    'Atomics',
    'eval',
  ]) {
    deleteProperty(globals, name);
  }
  deleteProperty(Array, 'fromAsync');
  // Node asks a realm's Error how to show a stack; an answer of the script would see frames of the host.
  defineProperty(Error, 'prepareStackTrace', { value: undefined, writable: false, configurable: false });
  defineProperty(globals, 'Error', { value: Error, writable: false, configurable: false });

  /** An exception of the host, without the object: only its message crosses. */
  const own = (error: unknown): Error => {
    const message = typeof error === 'object' && error !== null ? (error as Error).message : error;
    return new ErrorOfRealm(typeof message === 'string' ? message : 'the host failed');
  };

  // The traffic's clock, and numbers that are the same in every run ---------------------------------------------------------------
  const now = (): number => {
    try {
      return host.now();
    } catch (error) {
      throw own(error);
    }
  };
  const RealDate = Date;
  const dateText = RealDate.prototype.toString;
  function FlowDate(...args: readonly unknown[]): unknown {
    if (new.target === undefined) return apply(dateText, new RealDate(now()), []);
    return construct(RealDate, args.length === 0 ? [now()] : args, new.target);
  }
  for (const name of ['UTC', 'parse'] as const)
    defineProperty(FlowDate, name, { value: RealDate[name], writable: true, configurable: true });
  defineProperty(FlowDate, 'now', { value: now, writable: true, configurable: true });
  defineProperty(FlowDate, 'name', { value: 'Date' });
  defineProperty(FlowDate, 'prototype', { value: RealDate.prototype, writable: false });
  defineProperty(RealDate.prototype, 'constructor', { value: FlowDate, writable: true, configurable: true });
  defineProperty(globals, 'Date', { value: FlowDate, writable: true, configurable: true });

  // mulberry32: 32 bits of state, a full period
  let state = seed >>> 0;
  const { imul } = Math;
  defineProperty(Math, 'random', {
    value: () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let t = imul(state ^ (state >>> 15), state | 1);
      t ^= t + imul(t ^ (t >>> 7), t | 61);
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    },
    writable: true,
    configurable: true,
  });

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

  // `info` ------------------------------------------------------------------------------------------------------------------------
  const numbers = create(null) as Record<string, number>; // field's number by key
  /** Tables of the current event that were read. */
  let tables: Record<string, unknown> | undefined;
  /** How fields are read when they are asked for. */
  const accessors: (() => unknown)[] = [];

  const fetch = (field: number): unknown => {
    try {
      return host.read(field);
    } catch (error) {
      throw own(error);
    }
  };
  const fetchTable = (field: number): unknown => {
    if (tables !== undefined && field in tables) return tables[field];
    const value = fetch(field);
    tables ??= create(null) as Record<string, unknown>;
    tables[field] = value === undefined ? undefined : parse(value as string);
    return tables[field];
  };
  for (let field = 0; field < fields.length; field++) {
    const { key, table } = fields[field] as WorldData['fields'][number];
    numbers[key] = field;
    accessors[field] = table ? () => fetchTable(field) : () => fetch(field);
  }
  /** Prototype of an `info` that has these keys itself. */
  const prototypeBut = (prepared: readonly string[]): object => {
    const prototype = create(ObjectPrototype) as object;
    for (let field = 0; field < fields.length; field++) {
      const { key } = fields[field] as WorldData['fields'][number];
      let other = true;
      for (let i = 0; i < prepared.length; i++) if (prepared[i] === key) other = false;
      if (!other) continue;
      const descriptor = create(null) as PropertyDescriptor;
      descriptor.get = accessors[field] as () => unknown;
      defineProperty(prototype, key, descriptor);
    }
    return prototype;
  };

  /** Descriptor of an ordinary property; what a script put into Object.prototype has no part in it. */
  const property = (value: unknown): PropertyDescriptor => {
    const descriptor = create(null) as PropertyDescriptor;
    descriptor.value = value;
    descriptor.writable = true;
    descriptor.enumerable = true;
    descriptor.configurable = true;
    return descriptor;
  };

  const late = (): never => {
    throw new TypeErrorOfRealm('this `info` belongs to a call that is over: keep the values that you need, or a copy, { ...info }');
  };

  /** Tells the scripts that come later in the event of a change; a value without JSON is seen by this one only. */
  const share = (key: PropertyKey, value: unknown): void => {
    if (typeof key !== 'string') return;
    const json = value === undefined ? undefined : stringify(value);
    try {
      host.write(key, json);
    } catch (error) {
      throw own(error);
    }
  };

  interface Written {
    [key: PropertyKey]: unknown;
  }
  /**
   * What makes an object with a few prepared fields look like one that has them all. There is no `get`: reading goes straight to the
   * target. Its prototype has the traps: at first those that fetch all fields when more than reading is asked for (`lazyTraps`), then
   * those of an object that has them (`wholeTraps`). When the call is over everything throws, by `get` and `lateTraps`.
   */
  interface Handler {
    get: (() => never) | undefined;
    /** What the script wrote. */
    written: Written | undefined;
    whole: boolean;
  }
  const Handler = function Handler(this: Handler) {
    this.get = undefined;
    this.written = undefined;
    this.whole = false;
  } as unknown as new () => Handler;

  let handler: Handler | undefined; // of the running call
  let info: object | undefined;

  /** Makes an ordinary object of the target, with all fields in the order of their declaration, then what the script added. */
  const materialise = (of: Handler, target: object): void => {
    if (of.get !== undefined) late();
    let all: string;
    try {
      all = host.all();
    } catch (error) {
      throw own(error);
    }
    const prepared = ownKeys(target);
    for (let i = 0; i < prepared.length; i++) deleteProperty(target, prepared[i] as PropertyKey);
    setPrototypeOf(target, null); // no setter of a prototype has a part in it
    for (const source of [parse(all) as Written, of.written]) {
      if (source === undefined) continue;
      const names = ownKeys(source);
      for (let i = 0; i < names.length; i++) (target as Written)[names[i] as string] = source[names[i] as string];
    }
    setPrototypeOf(target, ObjectPrototype);
    of.whole = true;
    setPrototypeOf(of, wholeTraps);
  };

  const inherited = (receiver: unknown, key: PropertyKey, value: unknown): boolean =>
    // an object that inherits from this one gets a property of its own
    defineProperty(receiver as object, key, property(value));

  const wholeTraps: ProxyHandler<object> = {
    set(target, key, value, receiver) {
      if (receiver !== info) return inherited(receiver, key, value);
      if (!setProperty(target, key, value)) return false;
      share(key, value);
      return true;
    },
    deleteProperty(target, key) {
      if (!deleteProperty(target, key)) return false;
      share(key, undefined);
      return true;
    },
    defineProperty(target, key, descriptor) {
      if (!defineProperty(target, key, descriptor)) return false;
      share(key, (target as Written)[key]);
      return true;
    },
  };

  /** The operation itself, on all fields. */
  const onWhole = (f: (target: object, a: never, b: never) => unknown) =>
    function (this: Handler, target: object, a?: unknown, b?: unknown): never {
      materialise(this, target);
      return f(target, a as never, b as never) as never;
    };

  const lazyTraps: ProxyHandler<object> & ThisType<Handler> = {
    has(target, key) {
      if (this.get !== undefined) late();
      if (typeof key === 'symbol' || numbers[key] === undefined) return has(target, key);
      return (this.written !== undefined && key in this.written) || (target as Written)[key] !== undefined;
    },
    set(target, key, value, receiver) {
      if (this.get !== undefined) late();
      if (receiver !== info) return inherited(receiver, key, value);
      this.written ??= create(null) as Written;
      this.written[key] = value;
      defineProperty(target, key, property(value));
      share(key, value);
      return true;
    },
    deleteProperty: onWhole(wholeTraps.deleteProperty as NonNullable<typeof wholeTraps.deleteProperty>),
    defineProperty: onWhole(wholeTraps.defineProperty as NonNullable<typeof wholeTraps.defineProperty>),
    ownKeys: onWhole((target) => ownKeys(target)),
    getOwnPropertyDescriptor: onWhole((target, key: PropertyKey) => getOwnPropertyDescriptor(target, key)),
    getPrototypeOf: onWhole((target) => getPrototypeOf(target)),
    setPrototypeOf: onWhole((target, to: object | null) => setPrototypeOf(target, to)),
    isExtensible: onWhole((target) => isExtensible(target)),
    preventExtensions: onWhole((target) => preventExtensions(target)),
  };

  const lateTraps = create(null) as Record<PropertyKey, () => never>;
  for (const name of ownKeys(lazyTraps)) lateTraps[name] = late;
  for (const traps of [lazyTraps, wholeTraps]) setPrototypeOf(traps, null);
  Handler.prototype = freeze(lazyTraps);

  const wrap = (target: object, shared: boolean): object => {
    const made = new Handler();
    handler = made;
    info = new ProxyOfRealm(target, made as ProxyHandler<object>);
    if (shared) {
      const written = parse(host.written()) as Written;
      made.written = create(null) as Written;
      const names = ownKeys(written);
      let removed = false;
      for (let i = 0; i < names.length; i++) {
        const name = names[i] as string;
        if (written[name] === null) {
          removed = true;
          continue;
        }
        const value = parse(written[name] as string);
        made.written[name] = value;
        defineProperty(target, name, property(value));
      }
      if (removed) materialise(made, target);
      for (let i = 0; removed && i < names.length; i++) {
        if (written[names[i] as string] === null) deleteProperty(target, names[i] as string);
      }
    }
    return info;
  };

  const done = (): void => {
    tables = undefined;
    if (handler === undefined) return;
    handler.get = late;
    if (handler.whole) setPrototypeOf(handler, lateTraps);
    handler = undefined;
    info = undefined;
  };

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
  const print =
    (level: string) =>
    (...values: unknown[]): void => {
      let line = '';
      for (let i = 0; i < values.length; i++) line += (i === 0 ? '' : ' ') + show(values[i]);
      try {
        host.print(level, line);
      } catch (error) {
        throw own(error);
      }
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
