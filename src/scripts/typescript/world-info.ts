/**
 * `info` in a script's realm: an object with a few fields, handed over, that looks like one that has them all.
 *
 * `createInfos` runs in the realm itself, before the script (see world.ts), so it uses nothing from outside of itself.
 */

export interface InfoField {
  readonly key: string;
  readonly table: boolean;
}

/** What is known of the current event. Throws errors of the realm only. */
export interface InfoSource {
  /** Value of a field; of a table as JSON. */
  read(field: number): unknown;
  /** JSON of all fields that the event has. */
  all(): string;
  /** JSON of what scripts have written in this event, by key; null stands for a removed key. */
  written(): string;
  write(key: string, json: string | undefined): void;
}

export interface Infos {
  /** Prototype of objects that have these fields themselves: it reads the others when they are asked for. */
  prototypeBut(prepared: readonly string[]): object;
  /** @param target an object with such a prototype @param shared scripts have written to `info` in this event */
  wrap(target: object, shared: boolean): object;
  /** The call is over. */
  done(): void;
}

export function createInfos({ read, all, written, write }: InfoSource, fields: readonly InfoField[]): Infos {
  const { parse, stringify } = JSON;
  const { defineProperty, deleteProperty, getOwnPropertyDescriptor, getPrototypeOf, has, isExtensible, ownKeys } = Reflect;
  const { preventExtensions, set: setProperty, setPrototypeOf } = Reflect;
  const { create, freeze } = Object;
  const ObjectPrototype = Object.prototype;
  const TypeErrorOfRealm = TypeError;
  const ProxyOfRealm = Proxy;

  const numbers = create(null) as Record<string, number>; // field's number by key
  /** Tables of the current event that were read. */
  let tables: Record<string, unknown> | undefined;
  /** How fields are read when they are asked for. */
  const accessors: (() => unknown)[] = [];

  const fetchTable = (field: number): unknown => {
    if (tables !== undefined && field in tables) return tables[field];
    const value = read(field);
    tables ??= create(null) as Record<string, unknown>;
    tables[field] = value === undefined ? undefined : parse(value as string);
    return tables[field];
  };
  for (let field = 0; field < fields.length; field++) {
    const { key, table } = fields[field] as InfoField;
    numbers[key] = field;
    accessors[field] = table ? () => fetchTable(field) : () => read(field);
  }
  /** Prototype of an `info` that has these keys itself. */
  const prototypeBut = (prepared: readonly string[]): object => {
    const prototype = create(ObjectPrototype) as object;
    for (let field = 0; field < fields.length; field++) {
      const { key } = fields[field] as InfoField;
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
    write(key, json);
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

  const copy = (from: Written, to: Written): void => {
    const names = ownKeys(from);
    for (let i = 0; i < names.length; i++) to[names[i] as string] = from[names[i] as string];
  };

  /** Makes an ordinary object of the target, with all fields in the order of their declaration, then what the script added. */
  const materialise = (of: Handler, target: object): void => {
    if (of.get !== undefined) late();
    const fields = parse(all()) as Written;
    const prepared = ownKeys(target);
    for (let i = 0; i < prepared.length; i++) deleteProperty(target, prepared[i] as PropertyKey);
    setPrototypeOf(target, null); // no setter of a prototype has a part in it
    copy(fields, target as Written);
    if (of.written !== undefined) copy(of.written, target as Written);
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
      const by = parse(written()) as Written;
      made.written = create(null) as Written;
      const names = ownKeys(by);
      let removed = false;
      for (let i = 0; i < names.length; i++) {
        const name = names[i] as string;
        if (by[name] === null) {
          removed = true;
          continue;
        }
        const value = parse(by[name] as string);
        made.written[name] = value;
        defineProperty(target, name, property(value));
      }
      if (removed) materialise(made, target);
      for (let i = 0; removed && i < names.length; i++) {
        if (by[names[i] as string] === null) deleteProperty(target, names[i] as string);
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

  return { prototypeBut, wrap, done };
}
