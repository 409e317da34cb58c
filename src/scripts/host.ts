/**
 * The script host: which scripts there are, and which of them are called for an event.
 *
 *   change(), switch() ──► loaded versions ──► order of calls per callback
 *   run(view, callback) ──► filter, breaker, shedding ──► Runtime of each language ──► effects, kept back ──► HostSink
 *
 * Called by worker.ts for an interface, and by `flowpatrol test` and `replay`. Synchronous; an error of a script never leaves it.
 */
import { randomInt } from 'node:crypto';
import { basename } from 'node:path';
import { CALLBACK_BIT, CALLBACKS, type Callback } from '../flows/event.ts';
import { FIELDS, type Field, type FieldValue } from '../flows/fields.ts';
import { STATE_TWH_OK } from '../flows/record.ts';
import type { EventView, Names } from '../flows/view.ts';
import { EMPTY_BOOK, type HostBook } from '../hosts/book.ts';
import type { Preferences } from '../preferences.ts';
import { type Breaker, createBreaker } from './breaker.ts';
import type { ScriptCache } from './cache.ts';
import { createEffects, type Effect, printable } from './effects.ts';
import type { Translate } from './locales.ts';
import { createLuaRuntime } from './lua/engine.ts';
import { CallProfile } from './profile.ts';
import { fieldsReadBy, mayFeedBack } from './reading.ts';
import type { ScriptReport, ScriptState, ScriptSwitch, SkipReason } from './report.ts';
import type {
  CallFilter,
  CallObserver,
  Definition,
  EventCall,
  FailureReason,
  Language,
  PrintLevel,
  RaisedAlert,
  Runtime,
  RuntimeHost,
  ScoreOf,
  ScriptVersion,
} from './runtime.ts';
import { Tally } from './tally.ts';
import { createTypeScriptRuntime } from './typescript/runtime.ts';

/** An alert with where it comes from. Texts are in Latin-1 form, as a view's strings are. */
export interface ScriptAlert extends RaisedAlert {
  /** Key of the script. */
  readonly script: string;
  /** Hash of its version. */
  readonly version: string;
  readonly callback: Callback;
  /** It is recorded and told to nobody. */
  readonly shadow: boolean;
  /** Values of the fields that this version is known to read, by key. */
  readonly reason: Readonly<Record<string, FieldValue>>;
}

/** What scripts want of a flow: statuses (internal ids) and scores. */
export interface FlowChange {
  readonly script: string;
  readonly status?: { readonly id: number; readonly set: boolean };
  readonly score?: { readonly of: ScoreOf; readonly value: number };
}

/** What became of one script for one callback of one event. */
export interface CallTrace {
  readonly script: string;
  readonly outcome: 'run' | 'failed' | 'off' | 'off by setup' | 'not applicable' | Exclude<SkipReason, 'queue full'>;
  /** Of a failed call. */
  readonly message?: string;
  /** The part of its filter that left it out. */
  readonly filter?: keyof CallFilter;
  readonly alerts: number;
}

/** Where the scripts' doings go. `view` stands at the event that it is about; it is absent while a script is loaded. */
export interface HostSink {
  alert(alert: ScriptAlert, view: EventView): void;
  /** One line, without control characters. `script` is its key. */
  print(script: string, level: PrintLevel, line: string, callback: Callback | 'load', view: EventView | undefined): void;
  /** `message` is `file:line: cause`. */
  error(script: string, callback: Callback | 'load', message: string, view: EventView | undefined): void;
  /** What changed by one callback of one event, in order; never empty. */
  changes(changes: readonly FlowChange[], view: EventView): void;
  /** A version runs from now on; `replaced`: in the place of an older one. `undefined`: the script's file is gone, and so is it. */
  loaded(script: string, version: string | undefined, replaced: boolean): void;
  /** The breaker, or the limit of memory, has switched a script off, or it is back; `view` stands at the event at which it did. */
  switched(script: string, on: boolean, reason: string, view: EventView, callback: Callback): void;
  /** All scripts that have the callback, in calling order; for events that {@link ScriptHostOptions.traced} asks for, and those with an alert. */
  trace?(callback: Callback, traces: readonly CallTrace[], view: EventView): void;
}

export interface ScriptHostOptions {
  readonly interfaceId: number;
  readonly interfaceName: string;
  readonly live: boolean;
  /** Default: live interfaces have the circuit breaker. */
  readonly breaker?: boolean;
  /** Below 2^31; default: 0, so that every run is the same, and at random on live interfaces. */
  readonly seed?: number;
  readonly names: Names;
  /** An empty book without it. */
  readonly hosts?: HostBook;
  readonly preferences: () => Preferences;
  /** Folders of scripts, for `require` and `ntop.readdir`. */
  readonly directories: readonly string[];
  readonly cache: ScriptCache;
  readonly translate: Translate;
  readonly sink: HostSink;
  readonly traced?: (view: EventView) => boolean;
  /** One word of shared memory: the number of the version that is called, or was called last (runtime.ts). */
  readonly running?: Int32Array;
  /** Runs `work`, in which a version is loaded (`setup`) or unloaded (`teardown`), so that it can be ended from outside. */
  readonly guard?: <T>(number: number, version: ScriptVersion, what: 'load' | 'unload', work: () => T) => T;
  /** Where the calls of a script are counted, by the path of its file; with the host, without it. */
  readonly tally?: (path: string, callback: Callback) => Tally;
  /** Fields of `info`; the declared ones, or those of a test. */
  readonly fields?: readonly Field[];
}

/**
 * A file of a script in a new state; `version` is undefined when it is gone or cannot be read (`error` says why). With both, `version` is
 * an older one that runs in the place of the one that was refused.
 */
export interface FileChange {
  readonly path: string;
  readonly version?: ScriptVersion;
  readonly error?: string;
}

export interface ScriptHost {
  /** All files, in the order in which they are called. A new snapshot at each call. */
  reports(): ScriptReport[];
  /** Takes over new states of files: a version that cannot be loaded is refused, and the one that runs stays. */
  change(files: readonly FileChange[]): void;
  switch(key: string, to: ScriptSwitch): void;
  /** Bits (CALLBACK_BIT) of the callbacks that some script has. */
  callbacks(): number;
  /** Does some script set statuses or scores? */
  feedsBack(): boolean;
  /** Scripts that others than this host run, by path: they are not called here. */
  exclude(paths: ReadonlySet<string>): void;
  /** True: events come faster than the scripts take them; those that use more than their part of the time are left out now and then. */
  crowd(crowded: boolean): void;
  /** Calls `callback` of every script that has it; nothing of it is told before `commit`. */
  call(view: EventView, callback: Callback): void;
  /** Tells the sink what the call has led to. */
  commit(view: EventView, callback: Callback): void;
  /** Both. */
  run(view: EventView, callback: Callback): void;
  /** Alerts, lines and changes of flows of one callback that there was no room for. */
  effectsDropped(): number;
  close(): void;
}

/** One event in so many is measured (a power of two). */
const SAMPLE = 16;
/** Memory of all Lua scripts of a host together; beyond it the one that grew most is switched off. */
export const MEMORY_LIMIT = 64 << 20;
/** Memory by which the host's thread may grow: V8 does not tell TypeScript from Lua, which may take 256 MiB of it (lua/wasm.ts). */
const TYPESCRIPT_LIMIT = 512 << 20;
/** Scripts with the same callback; a position is one byte. */
const MOST_SCRIPTS = 255;
/** Stretch of the interface's clock over which parts of the time are compared, µs. */
const FAIR_US = 1e6;
const TCP = 6;

interface Loaded {
  readonly number: number;
  readonly version: ScriptVersion;
  readonly definition: Definition;
  readonly runtime: Runtime;
  readonly reads: readonly Field[];
  readonly feedsBack: boolean;
}

/** A file with a script, over all its versions. */
interface Script {
  readonly path: string;
  readonly file: string;
  language: Language;
  loaded: Loaded | undefined;
  /** Why its newest version is not loaded, and that version; tried again when another script leaves its key. */
  error: string | undefined;
  refused: ScriptVersion | undefined;
  readonly profiles: Map<Callback, CallProfile>;
  readonly breaker: Breaker;
  lastError: string | undefined;
  lastStack: string | undefined;
  /** Bytes that its measured calls took. */
  grown: number;
  excluded: boolean;
  /** Time of its calls when parts of the time were compared last, µs. */
  usedBefore: number;
  greedy: boolean;
}

/** Scripts of one language that are called in a row. */
interface Segment {
  readonly runtime: Runtime;
  readonly scripts: readonly Script[];
  readonly profiles: readonly CallProfile[];
  /** Some may be left out for some flows. */
  readonly filtered: boolean;
}

const languageOf = (file: string): Language => (file.endsWith('.ts') ? 'typescript' : 'lua');
const byOrder = (a: Script, b: Script): number =>
  (b.loaded?.definition.prio ?? 0) - (a.loaded?.definition.prio ?? 0) ||
  (a.file < b.file ? -1 : a.file > b.file ? 1 : a.path < b.path ? -1 : a.path > b.path ? 1 : 0);

export async function createScriptHost(options: ScriptHostOptions): Promise<ScriptHost> {
  const {
    sink,
    live,
    fields = FIELDS,
    breaker = live,
    seed = live ? randomInt(2 ** 31) : 0,
    running = new Int32Array(1),
    guard = (_number, _version, _what, work) => work(),
  } = options;
  const effects = createEffects();
  const runtimeHost: RuntimeHost = {
    interfaceId: options.interfaceId,
    interfaceName: options.interfaceName,
    live,
    seed,
    names: options.names,
    hosts: options.hosts ?? EMPTY_BOOK,
    effects,
    cache: options.cache,
    translate: options.translate,
    running,
    preferences: options.preferences,
    directories: options.directories,
  };
  const lua = await createLuaRuntime(runtimeHost, fields);
  const runtimes: Readonly<Record<Language, Runtime>> = { lua, typescript: createTypeScriptRuntime(runtimeHost, fields) };
  const scripts = new Map<string, Script>();
  const switches = new Map<string, ScriptSwitch>();
  const numbered = new Map<number, Script>();
  let excluded: ReadonlySet<string> = new Set();
  let numbers = 0;
  let plans: Record<Callback, readonly Segment[]> | undefined;
  let events = 0;
  let crowded = false;
  let comparedAt = 0;
  // of the call under way
  let current: EventView | undefined;
  let currentCallback: Callback | 'load' = 'load';
  /** Scripts whose last call failed, and those whose call of this event did. */
  const failing = new Set<Script>();
  const failedNow = new Set<Script>();
  let measured = false;
  /** Much memory is in use: every call is measured. */
  let heavy = false;
  // counted when the call is through, as all that it leads to
  const called: CallProfile[] = []; // the first `calledCount` of them; an array that is emptied gives its memory back
  let calledCount = 0;
  const skipped: { readonly script: Script; readonly profile: CallProfile; readonly reason: Exclude<SkipReason, 'queue full'> }[] = [];
  /** One object for all calls: making one for each event costs as much as a script. */
  const request: { -readonly [K in keyof EventCall]: EventCall[K] | undefined } = {
    view: undefined,
    callback: undefined,
    chosen: undefined,
    timed: undefined,
  };
  const raised: Script[] = [];
  let failed: { readonly script: Script | undefined; readonly reason: FailureReason; readonly message: string }[] = [];
  let traced = false;

  // Which scripts are called --------------------------------------------------------------------------

  const keyOf = (script: Script): string => script.loaded?.definition.key ?? script.file;
  const switchOf = (script: Script): ScriptSwitch => switches.get(keyOf(script)) ?? 'on';

  function stateOf(script: Script): ScriptState {
    if (script.loaded === undefined) return 'error';
    if (!script.loaded.definition.enabled) return 'off by setup';
    if (script.loaded.definition.filter.packetInterface === true && !options.names.packetInterface) return 'not applicable';
    const to = switchOf(script);
    if (to === 'off') return 'off';
    return script.breaker.broken === undefined ? to : 'broken';
  }

  const isCalled = (script: Script): boolean => {
    const state = stateOf(script);
    return (state === 'on' || state === 'shadow' || state === 'broken') && !script.excluded;
  };

  const hasFilter = (filter: CallFilter): boolean => Object.keys(filter).length > 0;

  function profileOf(script: Script, callback: Callback): CallProfile {
    let profile = script.profiles.get(callback);
    if (profile === undefined) {
      profile = new CallProfile(options.tally?.(script.path, callback) ?? new Tally());
      script.profiles.set(callback, profile);
    }
    return profile;
  }

  function planOf(callback: Callback): Segment[] {
    const chosen = [...scripts.values()]
      .filter((script) => isCalled(script) && script.loaded?.definition.callbacks.includes(callback))
      .sort(byOrder);
    const segments: { runtime: Runtime; scripts: Script[] }[] = [];
    for (const script of chosen) {
      const { runtime } = script.loaded as Loaded;
      const last = segments.at(-1);
      if (last?.runtime === runtime) last.scripts.push(script);
      else segments.push({ runtime, scripts: [script] });
    }
    return segments.map(({ runtime, scripts: row }) => ({
      runtime,
      scripts: row,
      profiles: row.map((script) => profileOf(script, callback)),
      filtered: row.some((script) => hasFilter((script.loaded as Loaded).definition.filter) || script.breaker.broken !== undefined),
    }));
  }

  /** Each runtime calls its scripts of one callback in the order of the whole; a segment is a part of that row. */
  const ranges = new Map<Segment, number>();

  function makePlans(): Record<Callback, readonly Segment[]> {
    ranges.clear();
    plans = Object.fromEntries(CALLBACKS.map((callback) => [callback, planOf(callback)])) as unknown as Record<
      Callback,
      readonly Segment[]
    >;
    for (const callback of CALLBACKS) {
      for (const runtime of Object.values(runtimes)) {
        const row: number[] = [];
        for (const segment of plans[callback]) {
          if (segment.runtime !== runtime) continue;
          ranges.set(segment, row.length);
          row.push(...segment.scripts.map((script) => (script.loaded as Loaded).number));
        }
        runtime.arrange(callback, row);
      }
    }
    return plans;
  }

  const changed = (): void => {
    plans = undefined;
  };

  /** Why a script is not called for the event, if it is not. */
  function skipOf(script: Script, callback: Callback, view: EventView): Exclude<SkipReason, 'queue full'> | undefined {
    if (script.breaker.broken !== undefined) {
      if (!script.breaker.cooled(view.time())) return 'broken';
      changed();
      switchings.push([keyOf(script), true, 'its cooldown is over']);
    }
    if (stoppedBy(script, callback, view) !== undefined) return 'filter';
    if (crowded && script.greedy && (events & 1) === 0) return 'shed';
    return undefined;
  }

  /** The part of its filter that the flow does not pass. */
  function stoppedBy(script: Script, callback: Callback, view: EventView): keyof CallFilter | undefined {
    const { filter } = (script.loaded as Loaded).definition;
    if (filter.l4 !== undefined && !filter.l4.includes(view.l4())) return 'l4';
    if (filter.l7 !== undefined && view.application() !== filter.l7 && view.master() !== filter.l7) return 'l7';
    if (filter.handshake === true && view.l4() === TCP && (view.state() & STATE_TWH_OK) === 0) return 'handshake';
    if (filter.packetInterface === true && !options.names.packetInterface) return 'packetInterface';
    if (callback === 'periodicUpdate' && filter.periodicSeconds !== undefined && !isPeriod(filter.periodicSeconds, view))
      return 'periodicSeconds';
    return undefined;
  }

  /** Is this the first periodicUpdate of the flow within another stretch of `seconds`? The engine's own come every 5 times the idleness. */
  function isPeriod(seconds: number, view: EventView): boolean {
    const now = view.time() / 1e6;
    const before = now - options.preferences().flow_max_idle * 5;
    return Math.floor(now / seconds) !== Math.floor(before / seconds);
  }

  /** Positions in the runtime's row of the scripts that are called; undefined = the whole row. */
  function choose(segment: Segment, row: number, callback: Callback, view: EventView): Uint8Array | undefined {
    const start = ranges.get(segment) ?? 0;
    const { scripts: members, profiles } = segment;
    const chosen = new Uint8Array(members.length);
    let count = 0;
    for (let i = 0; i < members.length; i++) {
      const script = members[i] as Script;
      const profile = profiles[i] as CallProfile;
      const skip = segment.filtered || crowded ? skipOf(script, callback, view) : undefined;
      if (skip === undefined) {
        chosen[count++] = start + i;
        called[calledCount++] = profile;
      } else {
        skipped.push({ script, profile, reason: skip });
      }
    }
    return count === row ? undefined : chosen.subarray(0, count);
  }

  // What comes out of a call --------------------------------------------------------------------------

  const observer: CallObserver = {
    failed(number, reason, message, stack) {
      const script = numbered.get(number);
      if (script === undefined) return;
      failedNow.add(script);
      const line = printable(message);
      script.lastError = line;
      script.lastStack = stack.split('\n').map(printable).join('\n');
      failed.push({ script, reason, message: line });
      if (!breaker || current === undefined) return;
      failing.add(script);
      const opened = script.breaker.failed(current.time(), line);
      if (opened !== undefined) switchedOff(script, opened);
    },
    took(number, us) {
      const script = numbered.get(number);
      if (script !== undefined) profileOf(script, currentCallback as Callback).took(us);
    },
    grew(number, bytes) {
      const script = numbered.get(number);
      if (script !== undefined) script.grown += bytes;
    },
  };

  /** Calls that went well end the row of failures of their scripts. */
  function succeeded(segment: Segment, chosen: Uint8Array | undefined): void {
    const start = ranges.get(segment) ?? 0;
    segment.scripts.forEach((script, i) => {
      if (!failing.has(script) || failedNow.has(script) || chosen?.includes(start + i) === false) return;
      script.breaker.succeeded();
      failing.delete(script);
    });
    failedNow.clear();
  }

  const switchings: [script: string, on: boolean, reason: string][] = [];

  function switchedOff(script: Script, reason: string): void {
    changed();
    const { broken } = script.breaker;
    const back =
      broken === undefined || broken.until === 0 ? 'until it is switched on again' : `until ${new Date(broken.until / 1000).toISOString()}`;
    switchings.push([keyOf(script), false, `${reason}; it is off ${back}`]);
  }

  /** What an alert of the script says of its reason: the fields that its source names. */
  function reasonOf(loaded: Loaded, view: EventView): Record<string, FieldValue> {
    const reason: Record<string, FieldValue> = {};
    for (const field of loaded.reads) {
      const value = field.read(view);
      if (value !== undefined) reason[field.key] = value;
    }
    return reason;
  }

  function tell(list: readonly Effect[], callback: Callback | 'load', view: EventView | undefined): void {
    const wanted: FlowChange[] = [];
    for (const effect of list) {
      const script = numbered.get(effect.script);
      const loaded = script?.loaded;
      if (script === undefined) continue;
      const key = keyOf(script);
      if (effect.type === 'print') {
        sink.print(key, effect.level, effect.line, callback, view);
        continue;
      }
      if (loaded === undefined || view === undefined || callback === 'load') continue;
      const shadow = switchOf(script) === 'shadow';
      if (effect.type === 'alert') {
        profileOf(script, callback).tally.alerted(shadow);
        raised.push(script);
        sink.alert({ ...effect.alert, script: key, version: loaded.version.hash, callback, shadow, reason: reasonOf(loaded, view) }, view);
      } else if (!shadow) {
        wanted.push(
          effect.type === 'status'
            ? { script: key, status: { id: effect.status, set: effect.set } }
            : { script: key, score: { of: effect.of, value: effect.value } },
        );
      }
    }
    if (wanted.length > 0 && view !== undefined) sink.changes(wanted, view);
  }

  // Limits of time and memory ---------------------------------------------------------------------------

  const usedUs = (script: Script): number => [...script.profiles.values()].reduce((sum, profile) => sum + profile.totalUs(), 0);

  /** Once a second of the interface's clock: who uses more than the same part for all, and who uses too much. */
  function compare(time: number): void {
    if (time - comparedAt < FAIR_US) return;
    comparedAt = time;
    const running = [...scripts.values()].filter(isCalled);
    const used = running.map((script) => {
      const total = usedUs(script);
      const since = total - script.usedBefore;
      script.usedBefore = total;
      const opened = script.breaker.broken === undefined ? script.breaker.used(time, total) : undefined;
      if (opened !== undefined) switchedOff(script, opened);
      return since;
    });
    const fair = used.reduce((sum, us) => sum + us, 0) / Math.max(1, running.length);
    running.forEach((script, i) => {
      script.greedy = (used[i] as number) > fair;
    });
  }

  /** Switches the script off that grew most, where a language holds more than it may. */
  function limitMemory(view: EventView): void {
    heavy = false;
    for (const runtime of Object.values(runtimes)) {
      const limit = runtime === lua ? MEMORY_LIMIT : TYPESCRIPT_LIMIT;
      const bytes = runtime.memory(false);
      heavy ||= bytes > limit / 2;
      if (bytes <= limit || runtime.memory(true) <= limit) continue;
      const candidates = [...scripts.values()].filter((script) => script.loaded?.runtime === runtime && isCalled(script));
      const [worst] = candidates.sort((x, y) => y.grown - x.grown);
      if (worst?.loaded === undefined) continue;
      const reason = `the scripts hold more than ${limit >> 20} MiB of memory, and it grew most`;
      worst.breaker.open(view.time(), reason);
      profileOf(worst, currentCallback as Callback).tally.failed('memory');
      switchedOff(worst, reason);
      reload(worst); // its variables are what takes the memory
      runtime.memory(true);
    }
  }

  // Files --------------------------------------------------------------------------------------------------

  function unload(script: Script): void {
    if (script.loaded === undefined) return;
    const { runtime, number, version } = script.loaded;
    guard(number, version, 'unload', () => runtime.unload(number));
    if (current === undefined) tell(effects.take(), 'load', undefined); // what its teardown said
    numbered.delete(script.loaded.number);
    script.loaded = undefined;
  }

  function refuse(script: Script, version: ScriptVersion | undefined, message: string): void {
    script.error = printable(message);
    script.refused = version;
    sink.error(keyOf(script), 'load', script.error, undefined);
  }

  /** @returns false when the version was refused */
  function load(script: Script, version: ScriptVersion): boolean {
    const runtime = runtimes[version.language];
    const number = ++numbers;
    numbered.set(number, script);
    let definition: Definition;
    try {
      definition = guard(number, version, 'load', () => runtime.load(number, version));
    } catch (error) {
      tell(effects.take(), 'load', undefined);
      numbered.delete(number);
      refuse(script, version, (error as Error).message);
      return false;
    }
    tell(effects.take(), 'load', undefined);
    const other = [...scripts.values()].find((each) => each !== script && each.loaded?.definition.key === definition.key);
    const crowd = definition.callbacks.find(
      (callback) => (plans ?? makePlans())[callback].reduce((sum, row) => sum + row.scripts.length, 0) >= MOST_SCRIPTS,
    );
    if (other !== undefined || (crowd !== undefined && script.loaded === undefined)) {
      guard(number, version, 'unload', () => runtime.unload(number));
      numbered.delete(number);
      const why =
        other === undefined ? `${MOST_SCRIPTS} scripts have ${crowd} already` : `the key "${definition.key}" is taken by ${other.file}`;
      refuse(script, version, `${version.file}: ${why}`);
      return false;
    }
    const replaced = script.loaded !== undefined;
    unload(script);
    const source = Buffer.from(version.source).toString('utf8');
    script.language = version.language;
    script.loaded = {
      number,
      version,
      definition,
      runtime,
      reads: fieldsReadBy(source, fields),
      feedsBack: mayFeedBack(source),
    };
    script.error = undefined;
    script.refused = undefined;
    for (const warning of definition.warnings) sink.print(definition.key, 'warning', printable(warning), 'load', undefined);
    sink.loaded(definition.key, version.hash, replaced);
    changed();
    return true;
  }

  /** The same version anew: its variables are gone. */
  function reload(script: Script): void {
    const version = script.loaded?.version;
    if (version === undefined) return;
    unload(script);
    load(script, version);
    changed();
  }

  function take({ path, version, error }: FileChange): void {
    let script = scripts.get(path);
    if (version === undefined && error === undefined) {
      if (script === undefined) return;
      const key = keyOf(script);
      unload(script);
      scripts.delete(path);
      changed();
      sink.loaded(key, undefined, false);
      return;
    }
    if (script === undefined) {
      const file = basename(path);
      script = {
        path,
        file,
        language: languageOf(file),
        loaded: undefined,
        error: undefined,
        refused: undefined,
        profiles: new Map(),
        breaker: createBreaker(),
        lastError: undefined,
        lastStack: undefined,
        grown: 0,
        excluded: excluded.has(path),
        usedBefore: 0,
        greedy: false,
      };
      scripts.set(path, script);
    }
    if (version === undefined) refuse(script, undefined, `${script.file}: ${error}`);
    else if (script.loaded?.version.hash === version.hash) {
      script.error = undefined; // the one that runs is back
      script.refused = undefined;
    } else if (load(script, version)) script.breaker.reset();
    if (version !== undefined && error !== undefined) refuse(script, undefined, `${script.file}: ${error}`);
  }

  /** Scripts that were refused for a key that is free now. */
  function retry(): void {
    const taken = new Set([...scripts.values()].map((script) => script.loaded?.definition.key));
    for (const script of [...scripts.values()].sort((a, b) => (a.path < b.path ? -1 : 1))) {
      const key = script.error?.match(/the key "(.*)" is taken by /)?.[1];
      if (key !== undefined && script.refused !== undefined && !taken.has(key) && load(script, script.refused)) taken.add(key);
    }
  }

  // One callback of one event -----------------------------------------------------------------------------

  function call(view: EventView, callback: Callback): void {
    const row = (plans ?? makePlans())[callback];
    if (row.length === 0) return;
    current = view;
    currentCallback = callback;
    const timed = (events++ & (SAMPLE - 1)) === 0 || heavy || lua.memory(false) > MEMORY_LIMIT / 2;
    traced = sink.trace !== undefined && options.traced?.(view) === true;
    effects.begin(view);
    request.view = view;
    request.callback = callback;
    request.timed = timed;
    try {
      for (const segment of row) {
        const { profiles } = segment;
        let chosen: Uint8Array | undefined;
        if (segment.filtered || crowded || row.length > 1) {
          chosen = choose(segment, row.length === 1 ? profiles.length : -1, callback, view);
          if (chosen?.length === 0) continue;
        } else {
          for (let i = 0; i < profiles.length; i++) called[calledCount++] = profiles[i] as CallProfile;
        }
        request.chosen = chosen;
        segment.runtime.run(request as EventCall, observer);
        if (failing.size > 0) succeeded(segment, chosen);
      }
    } catch (error) {
      failed.push({ script: undefined, reason: 'error', message: `the event was lost to the scripts: ${(error as Error).message}` });
    }
    measured = timed;
  }

  function commit(view: EventView, callback: Callback): void {
    const done = effects.take();
    if (done.length > 0) tell(done, callback, view);
    if (sink.trace !== undefined && (traced || raised.length > 0)) sink.trace(callback, tracesOf(callback, view), view);
    if (raised.length > 0) raised.length = 0;
    for (let i = 0; i < calledCount; i++) (called[i] as CallProfile).tally.called();
    calledCount = 0;
    if (skipped.length > 0) for (const { profile, reason } of skipped.splice(0)) profile.tally.skipped(reason);
    if (failed.length > 0) {
      for (const { script, reason, message } of failed) {
        if (script !== undefined) profileOf(script, callback).tally.failed(reason);
        sink.error(script === undefined ? '' : keyOf(script), callback, message, view);
      }
      failed = [];
    }
    if (switchings.length > 0) for (const [script, on, reason] of switchings.splice(0)) sink.switched(script, on, reason, view, callback);
    if (measured) {
      limitMemory(view);
      if (breaker) compare(view.time());
    }
    current = undefined;
    currentCallback = 'load';
  }

  // ----------------------------------------------------------------------------------------------------------

  return {
    reports() {
      const all = [...scripts.values()].sort(byOrder);
      const total = all.reduce((sum, script) => sum + usedUs(script), 0);
      return all.map((script) =>
        reportOf(script, keyOf(script), stateOf(script), total === 0 ? 0 : usedUs(script) / total, options.translate),
      );
    },

    change(files) {
      for (const file of files) take(file);
      retry();
    },

    switch(key, to) {
      if (to === 'on') switches.delete(key);
      else switches.set(key, to);
      for (const script of scripts.values()) if (keyOf(script) === key && to !== 'off') script.breaker.reset();
      changed();
    },

    callbacks() {
      const row = plans ?? makePlans();
      return CALLBACKS.reduce((bits, callback) => (row[callback].length === 0 ? bits : bits | CALLBACK_BIT[callback]), 0);
    },

    feedsBack: () => [...scripts.values()].some((script) => script.loaded?.feedsBack === true && isCalled(script)),

    exclude(paths) {
      excluded = paths;
      for (const script of scripts.values()) script.excluded = paths.has(script.path);
      changed();
    },

    crowd(now) {
      crowded = now;
    },

    call,

    commit,

    run(view, callback) {
      call(view, callback);
      commit(view, callback);
    },

    effectsDropped: effects.dropped,

    close() {
      for (const runtime of Object.values(runtimes)) runtime.close();
    },
  };

  /** Every script that has the callback, with what became of it. */
  function tracesOf(callback: Callback, view: EventView): CallTrace[] {
    return [...scripts.values()]
      .filter((script) => script.loaded?.definition.callbacks.includes(callback) && !script.excluded)
      .sort(byOrder)
      .map((script) => {
        const state = stateOf(script);
        const fault = failed.find((each) => each.script === script);
        const skip = skipped.find((each) => each.script === script)?.reason;
        const off = state === 'off' || state === 'off by setup' || state === 'not applicable' ? state : undefined;
        return {
          script: keyOf(script),
          outcome: off ?? (fault !== undefined ? 'failed' : (skip ?? 'run')),
          ...(fault === undefined ? {} : { message: fault.message }),
          ...(skip === 'filter' ? { filter: stoppedBy(script, callback, view) as keyof CallFilter } : {}),
          alerts: raised.filter((each) => each === script).length,
        };
      });
  }
}

const sum = (script: Script, count: (tally: Tally) => number): number =>
  [...script.profiles.values()].reduce((total, { tally }) => total + count(tally), 0);

function reportOf(script: Script, key: string, state: ScriptState, share: number, translate: Translate): ScriptReport {
  const { loaded, breaker } = script;
  const definition = loaded?.definition;
  const callbacks = definition?.callbacks ?? [];
  const words = (text: string): string => translate(text) ?? text;
  return {
    key: printable(key),
    file: script.file,
    path: script.path,
    language: script.language,
    ...(definition === undefined ? {} : { generation: definition.generation }),
    ...(loaded === undefined ? {} : { hash: loaded.version.hash }),
    title: printable(words(definition?.title ?? script.file)),
    description: printable(words(definition?.description ?? '')),
    prio: definition?.prio ?? 0,
    callbacks,
    state,
    ...(script.error === undefined ? {} : { error: script.error }),
    warnings: definition?.warnings.map(printable) ?? [],
    stats: Object.fromEntries(
      [...script.profiles].filter(([callback]) => callbacks.includes(callback)).map(([callback, profile]) => [callback, profile.stats()]),
    ),
    alerts: sum(script, (tally) => tally.alerts),
    shadowAlerts: sum(script, (tally) => tally.shadowAlerts),
    ...(script.lastError === undefined ? {} : { lastError: script.lastError }),
    ...(script.lastStack === undefined || script.lastStack === '' ? {} : { lastStack: script.lastStack }),
    ...(breaker.broken === undefined ? {} : { broken: breaker.broken }),
    ownHost: false,
    stateLost: 0,
    share,
  };
}
