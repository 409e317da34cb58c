/**
 * The Lua engine: one Lua state with all scripts of one interface, one crossing into it per event.
 *
 *   run(view, callback) ── bytes of the event, fields seen to be used ──► dispatcher (info.lua, one per callback)
 *                                                                          │ calls the scripts in order
 *   fetch / all ◄── a field that was not handed over ──────────────────────┤
 *   sink ◄── print, alert ─────────────────────────────────────────────────┤
 *   a failed call is counted, and the dispatcher goes on behind it ◄───────┘
 *
 * Which fields are handed over is learnt per callback: a field that was fetched {@link PROMOTE_AFTER} times joins them. So
 * the first events pay for fetching and later ones do not; what a script sees is the same either way.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { CALLBACKS, type Callback, E_LENGTH } from '../../flows/event.ts';
import { type Field, type FieldTable, type FieldValue, fieldByKey } from '../../flows/fields.ts';
import { createEventView, type EventView } from '../../flows/view.ts';
import type { CallbackStats, LuaEngineOptions, ScriptEngine, ScriptReport } from '../engine.ts';
import { readScriptFiles } from '../files.ts';
import { flowConsts } from '../flow-consts.ts';
import { GETTERS } from '../getters.ts';
import { CALL_BUDGET, createBudget, LOAD_BUDGET } from './budget.ts';
import { LUA_REGISTRY, LuaState } from './state.ts';
import type { LuaThread } from './wasm.ts';

/** Fetches after which a field is handed over with every event of the callback. */
const PROMOTE_AFTER = 8;
/** Most fields handed over; the rest is fetched when used. */
const MOST_PREPARED = 64;
/** One event in so many is measured (a power of two). */
const SAMPLE = 16;
const LONGEST_LINE = 8192;

interface Counts {
  calls: number;
  failures: number;
  sampled: number;
  sampledUs: number;
}

interface Script {
  readonly file: string;
  readonly path: string;
  key: string;
  title: string;
  description: string;
  prio: number;
  state: ScriptReport['state'];
  error: string | undefined;
  lastError: string | undefined;
  alerts: number;
  readonly counts: Map<Callback, Counts>;
}

interface Prepared {
  readonly field: Field;
  readonly integer: boolean;
  /** The number whose dotted text is the field's value, where the flow is one of IPv4. */
  readonly ipv4: ((view: EventView) => number) | undefined;
}

/** The fields that many scripts read and whose text costs most: for IPv4 it is written without making a string of it. */
const IPV4 = new Map<Field | undefined, (view: EventView) => number>([
  [fieldByKey.get('cli.ip'), (view) => view.clientWord(0)],
  [fieldByKey.get('srv.ip'), (view) => view.serverWord(0)],
]);

/** What the engine knows of one callback. */
interface Stage {
  readonly callback: Callback;
  /** Scripts that have it, in calling order. */
  scripts: Script[];
  /** Their counters, in the same order. */
  counts: Counts[];
  /** Fields handed over. */
  readonly prepared: Prepared[];
  /** Per field: fetches so far. */
  readonly fetched: Uint32Array;
  /** Stack index of the dispatcher on the main thread; the next one goes on after a failed call. */
  readonly slot: number;
  runs: number;
  /** The dispatcher must be made anew. */
  stale: boolean;
}

const here = new URL('.', import.meta.url);
const chunk = (name: string): Buffer => readFileSync(new URL(name, here));

function readModules(): Map<string, Buffer> {
  const directory = new URL('../modules/', here);
  const modules = new Map<string, Buffer>();
  for (const file of readdirSync(directory).sort()) {
    if (file.endsWith('.lua')) modules.set(file.slice(0, -4), readFileSync(new URL(file, directory)));
  }
  modules.set('flow_consts', Buffer.from(flowConsts(), 'utf8'));
  return modules;
}

/** @param fields the keys of `info`; the real ones, or those of a test */
export async function createEngine(options: LuaEngineOptions, fields: readonly Field[]): Promise<ScriptEngine> {
  const { sink } = options;
  const state = await LuaState.create(options.live !== true);
  const { api, main } = state;
  const modules = readModules();
  const scripts: Script[] = [];
  const numbers = fields.map((_, i) => BigInt(i + 1));

  let view: EventView | undefined;
  let keptView: EventView | undefined;
  let stage: Stage | undefined;
  let startedAt = 0;
  let seenBytes: Uint8Array | undefined;
  let seenBuffer = Buffer.alloc(0);

  const scriptAt = (thread: LuaThread, index: number): Script => scripts[state.number(thread, index) - 1] as Script;
  const stageName = (): string => stage?.callback ?? 'load';
  const report = (script: Script, message: string): void => sink.error(script.key, stageName(), message);

  // Values into Lua ------------------------------------------------------------------------------------

  function pushTable(thread: LuaThread, table: FieldTable): void {
    api.lua_checkstack(thread, 8);
    api.lua_createtable(thread, 0, 8);
    for (const key in table) {
      state.pushText(thread, key);
      const value = table[key] as FieldValue;
      pushValue(thread, value, Number.isInteger(value));
      api.lua_rawset(thread, -3);
    }
  }

  function pushValue(thread: LuaThread, value: FieldValue | undefined, integer: boolean): void {
    switch (typeof value) {
      case 'number':
        if (integer) state.pushInteger(thread, Math.trunc(value));
        else api.lua_pushnumber(thread, value);
        break;
      case 'string':
        state.pushText(thread, value);
        break;
      case 'boolean':
        api.lua_pushboolean(thread, value ? 1 : 0);
        break;
      case 'object':
        pushTable(thread, value);
        break;
      default:
        api.lua_pushnil(thread);
    }
  }

  /** The same bytes; those of a ring stay the same from event to event. */
  function bufferOf(bytes: Uint8Array): Buffer {
    if (bytes !== seenBytes) {
      seenBytes = bytes;
      seenBuffer = Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
    }
    return seenBuffer;
  }

  /** The current event, or the kept one whose bytes are the string at the stack index. */
  function eventAt(thread: LuaThread, index: number): EventView {
    if (view === undefined) throw new Error('there is no flow outside a callback');
    if (state.isNil(thread, index)) return view;
    keptView ??= createEventView(view.names, options.hosts);
    const bytes = state.bytes(thread, index);
    keptView.set(bytes, 0);
    return keptView;
  }

  // What Lua calls: nothing here may throw into Lua ------------------------------------------------------

  /** Makes a function for Lua of one that may throw: its exception becomes a Lua error. */
  const guarded =
    (f: (thread: LuaThread) => number) =>
    (thread: LuaThread): number => {
      let message: string;
      try {
        return f(thread);
      } catch (error) {
        message = (error as Error).message;
      }
      return state.raise(thread, message);
    };

  const host: Record<string, (thread: LuaThread) => number> = {
    fetch: guarded((thread) => {
      const number = state.number(thread, 1) - 1;
      const field = fields[number] as Field;
      const value = field.read(eventAt(thread, 2));
      if (stage !== undefined) {
        const fetches = (stage.fetched[number] as number) + 1;
        stage.fetched[number] = fetches;
        if (fetches === PROMOTE_AFTER && stage.prepared.length < MOST_PREPARED) {
          stage.prepared.push({ field, integer: field.type === 'int', ipv4: IPV4.get(field) });
          stage.stale = true;
        }
      }
      pushValue(thread, value, field.type === 'int');
      return 1;
    }),

    all: guarded((thread) => {
      api.lua_settop(thread, 1);
      api.lua_rawgeti(thread, LUA_REGISTRY, namesReference);
      api.lua_createtable(thread, 0, fields.length);
      const of = eventAt(thread, 1);
      for (let i = 0; i < fields.length; i++) {
        const field = fields[i] as Field;
        const value = field.read(of);
        if (value === undefined) continue;
        api.lua_rawgeti(thread, 2, numbers[i] as bigint);
        pushValue(thread, value, field.type === 'int');
        api.lua_rawset(thread, 3);
      }
      return 1;
    }),

    time: guarded((thread) => {
      api.lua_pushnumber(thread, view === undefined ? 0 : view.time() / 1e6);
      return 1;
    }),

    module: guarded((thread) => {
      const source = modules.get(state.text(thread, 1));
      if (source === undefined) api.lua_pushnil(thread);
      else state.pushBytes(thread, source, 0, source.length);
      return 1;
    }),

    exhausted: (thread) => {
      api.lua_pushboolean(thread, budget.exhausted() ? 1 : 0);
      return 1;
    },

    print: guarded((thread) => {
      const script = scriptAt(thread, 1);
      for (const line of state.text(thread, 2).split(/\r?\n/)) sink.print(script.key, printable(line));
      return 0;
    }),

    alert: guarded((thread) => {
      const script = scriptAt(thread, 1);
      if (stage === undefined || view === undefined) throw new Error('there is no flow outside a callback');
      const text = (index: number): string | undefined => (state.isNil(thread, index) ? undefined : state.latin1(thread, index));
      const alertTypeName = text(4);
      const severityName = text(5);
      const info = text(6);
      sink.alert(
        {
          script: latin1(script.key),
          callback: stage.callback,
          alertType: state.number(thread, 2),
          ...(alertTypeName === undefined ? {} : { alertTypeName }),
          severity: state.number(thread, 3),
          ...(severityName === undefined ? {} : { severityName }),
          ...(info === undefined ? {} : { info }),
        },
        view,
      );
      script.alerts++;
      return 0;
    }),

    started: () => {
      startedAt = performance.now();
      return 0;
    },

    // The next call starts as one ends: a look at the clock is not cheap.
    ended: (thread) => {
      const now = performance.now();
      const counts = stage?.counts[state.number(thread, 1) - 1];
      if (counts !== undefined) {
        counts.sampled++;
        counts.sampledUs += (now - startedAt) * 1000;
      }
      startedAt = now;
      return 0;
    },

    found: guarded((thread) => {
      const script = scriptAt(thread, 1);
      script.key = printable(state.text(thread, 2));
      script.title = printable(state.text(thread, 3));
      script.description = printable(state.text(thread, 4));
      script.prio = state.number(thread, 5);
      return 0;
    }),

    has: guarded((thread) => {
      scriptAt(thread, 1).counts.set(state.text(thread, 2) as Callback, { calls: 0, failures: 0, sampled: 0, sampledUs: 0 });
      return 0;
    }),
  };

  // Start: the tables that Lua and we share, our chunks, the scripts ---------------------------------------

  function pushNames(names: readonly string[]): void {
    api.lua_createtable(main, names.length, 0);
    names.forEach((name, i) => {
      state.pushInteger(main, i + 1);
      state.pushText(main, name);
      api.lua_rawset(main, -3);
    });
  }

  function setField(key: string, push: () => void): void {
    state.pushText(main, key);
    push();
    api.lua_rawset(main, -3);
  }

  function reference(): bigint {
    api.lua_pushvalue(main, -1);
    return BigInt(api.luaL_ref(main, LUA_REGISTRY));
  }

  pushNames(fields.map((field) => field.key));
  const namesReference = reference();
  api.lua_settop(main, 0);
  api.lua_createtable(main, 1, 1);
  const shared = reference();
  api.lua_settop(main, 0);
  const budget = createBudget(state, shared);

  // Stack of the main thread: 1-8 the dispatchers, 9 load_script, 10 the maker of dispatchers, 11 the message handler.
  const LOADER = CALLBACKS.length * 2 + 1;
  const MAKER = LOADER + 1;
  const HANDLER = MAKER + 1;
  for (let i = 1; i < LOADER; i++) api.lua_pushnil(main);

  state.load(chunk('sandbox.lua'), '=flowpatrol sandbox');
  api.lua_createtable(main, 0, 20);
  for (const [name, f] of Object.entries(host)) setField(name, () => state.pushFunction(f));
  setField('fields', () => api.lua_rawgeti(main, LUA_REGISTRY, namesReference));
  setField('interface_id', () => state.pushInteger(main, options.interfaceId));
  setField('interface_name', () => state.pushText(main, latin1(options.interfaceName)));
  setField('modules', () => state.pushText(main, [...modules.keys()].join(', ')));
  setField('getters', () => {
    api.lua_createtable(main, 0, 24);
    for (const [name, keys] of Object.entries(GETTERS)) setField(name, () => state.pushText(main, keys.join(' ')));
  });
  // info.lua(host, shared) -> lazy, then sandbox.lua(host, lazy, shared) -> load_script, dispatcher, describe
  state.load(chunk('info.lua'), '=flowpatrol info');
  api.lua_pushvalue(main, -2);
  api.lua_rawgeti(main, LUA_REGISTRY, shared);
  state.call(2, 1);
  api.lua_rawgeti(main, LUA_REGISTRY, shared);
  state.call(3, 3);

  for (const file of readScriptFiles(options.directories, (message) => sink.error('', 'load', message))) {
    const script: Script = {
      file: file.name,
      path: file.path,
      key: file.name,
      title: file.name,
      description: '',
      prio: 0,
      state: 'error',
      error: undefined,
      lastError: undefined,
      alerts: 0,
      counts: new Map(),
    };
    scripts.push(script);
    if (file.source === undefined) {
      script.error = `${file.name}: ${file.error}`;
    } else {
      budget.restart(LOAD_BUDGET);
      api.lua_pushvalue(main, LOADER);
      state.pushInteger(main, scripts.length);
      state.pushText(main, latin1(file.name));
      state.pushBytes(main, bufferOf(file.source), 0, file.source.length);
      state.call(3, 2);
      if (api.lua_toboolean(main, -2) === 0) script.error = printable(state.text(main, -1));
      else script.state = api.lua_toboolean(main, -1) !== 0 ? 'on' : 'off by setup';
      api.lua_settop(main, HANDLER);
    }
    if (script.error !== undefined) report(script, script.error);
  }

  const inOrder = [...scripts].sort((a, b) => b.prio - a.prio || (a.file < b.file ? -1 : a.file > b.file ? 1 : 0));
  const stages = Object.fromEntries(
    CALLBACKS.map((callback, i): [Callback, Stage] => {
      const called = inOrder.filter((script) => script.state === 'on' && script.counts.has(callback));
      return [
        callback,
        {
          callback,
          scripts: called,
          counts: called.map((script) => script.counts.get(callback) as Counts),
          prepared: [],
          fetched: new Uint32Array(fields.length),
          slot: i * 2 + 1,
          runs: 0,
          stale: true,
        },
      ];
    }),
  ) as Record<Callback, Stage>;

  function makeDispatcher(of: Stage): void {
    of.stale = false;
    api.lua_pushvalue(main, MAKER);
    state.pushText(main, of.callback);
    state.pushText(main, of.scripts.map((script) => scripts.indexOf(script) + 1).join(','));
    state.pushText(main, of.prepared.map(({ field }) => field.key).join(' '));
    state.call(3, 2);
    api.lua_copy(main, -2, of.slot);
    api.lua_copy(main, -1, of.slot + 1);
    api.lua_settop(main, HANDLER);
  }

  /** @param position in calling order, from 1 on; 0 if no script was called yet, which only a fault of our own can do */
  function callFailed(of: Stage, position: number, message: string): void {
    const script = of.scripts[position - 1];
    const counts = of.counts[position - 1];
    if (script === undefined || counts === undefined) throw new Error(message);
    counts.failures++;
    script.lastError = printable(message);
    report(script, script.lastError);
  }

  return {
    get scripts(): readonly ScriptReport[] {
      return inOrder.map(snapshot);
    },

    run(of, callback) {
      const current = stages[callback];
      const { counts, prepared } = current;
      if (counts.length === 0) return;
      if (current.stale) makeDispatcher(current);
      view = of;
      stage = current;
      const timed = (current.runs++ & (SAMPLE - 1)) === 0;
      for (let i = 0; i < counts.length; i++) (counts[i] as Counts).calls++;
      budget.restart(CALL_BUDGET);

      try {
        api.lua_pushvalue(main, current.slot);
        api.lua_pushboolean(main, timed ? 1 : 0);
        const bytes = bufferOf(of.bytes());
        const offset = of.offset();
        state.pushBytes(main, bytes, offset, eventLength(bytes, offset));
        for (let i = 0; i < prepared.length; i++) {
          const { field, integer, ipv4 } = prepared[i] as Prepared;
          if (ipv4 !== undefined && !of.isIpv6()) state.pushIpv4(main, ipv4(of));
          else pushValue(main, field.read(of), integer);
        }
        let message = state.tryCall(2 + prepared.length, HANDLER);
        while (message !== undefined) {
          const failed = budget.runningCall();
          callFailed(current, failed, message);
          if (failed >= counts.length) break;
          budget.restart(CALL_BUDGET);
          api.lua_pushvalue(main, current.slot + 1);
          api.lua_pushboolean(main, timed ? 1 : 0);
          state.pushInteger(main, failed + 1);
          message = state.tryCall(2, HANDLER);
        }
      } catch (error) {
        api.lua_settop(main, HANDLER);
        sink.error('', callback, `the event was lost to the scripts: ${(error as Error).message}`);
      }
      stage = undefined;
      view = undefined;
    },

    close: () => state.close(),
  };
}

/** The `u32` of an event's length, little-endian. */
function eventLength(bytes: Uint8Array, offset: number): number {
  const at = offset + E_LENGTH;
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
}

/** A text in Latin-1 form: its UTF-8 bytes, one character each. */
const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** A line that is safe on a terminal: control characters as `\\xHH`, of bounded length. */
function printable(text: string): string {
  const line = text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE)}…` : text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
  return line.replace(/[\0-\x08\x0a-\x1f\x7f-\x9f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function snapshot(script: Script): ScriptReport {
  const on = script.state === 'on';
  const stats: Partial<Record<Callback, CallbackStats>> = {};
  for (const [callback, { calls, failures, sampled, sampledUs }] of script.counts) {
    stats[callback] = { calls, failures, cpuUs: sampled === 0 ? 0 : (sampledUs / sampled) * calls };
  }
  return {
    key: script.key,
    file: script.file,
    path: script.path,
    title: script.title,
    description: script.description,
    prio: script.prio,
    callbacks: on ? [...script.counts.keys()] : [],
    state: script.state,
    ...(script.error === undefined ? {} : { error: script.error }),
    stats: on ? stats : {},
    alerts: script.alerts,
    ...(script.lastError === undefined ? {} : { lastError: script.lastError }),
  };
}
