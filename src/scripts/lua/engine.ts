/**
 * Scripts in Lua: one Lua state with all of them, one crossing into it per event.
 *
 *   run(call) ── bytes of the event, fields seen to be used ──► dispatcher (info.lua, one per callback)
 *                                                                │ calls the scripts in order
 *   fetch / all ◄── a field that was not handed over ────────────┤
 *   library.ts ◄── flow.…, ntop.…, print ────────────────────────┤
 *   a failed call is told, and the dispatcher goes on behind it ◄┘
 *
 * Which fields are handed over is learnt per callback: a field that was fetched {@link PROMOTE_AFTER} times joins them. So
 * the first events pay for fetching and later ones do not; what a script sees is the same either way.
 */
import { readFileSync } from 'node:fs';
import { CALLBACKS, type Callback, E_LENGTH } from '../../flows/event.ts';
import { FIELDS, type Field, type FieldTable, type FieldValue, fieldByKey } from '../../flows/fields.ts';
import { createEventView, type EventView } from '../../flows/view.ts';
import { GETTERS } from '../getters.ts';
import type { CallObserver, Definition, EventCall, Runtime, RuntimeHost, ScriptVersion } from '../runtime.ts';
import { CALL_BUDGET, createBudget, LOAD_BUDGET } from './budget.ts';
import { createLibrary } from './library.ts';
import { LUA_ERRMEM, LUA_REGISTRY, LuaState } from './state.ts';
import type { LuaThread } from './wasm.ts';

/** Fetches after which a field is handed over with every event of the callback. */
const PROMOTE_AFTER = 8;
/** Most fields handed over; the rest is fetched when used. */
const MOST_PREPARED = 64;

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

/** What the runtime knows of one callback. */
interface Stage {
  readonly callback: Callback;
  /** Scripts that have it, in calling order. */
  scripts: readonly number[];
  /** Fields handed over. */
  readonly prepared: Prepared[];
  /** Per field: fetches so far. */
  readonly fetched: Uint32Array;
  /** Stack index on the main thread of the dispatcher; the next ones are the one for a part of the scripts, and the one that goes on. */
  readonly slot: number;
  /** The dispatchers must be made anew. */
  stale: boolean;
}

const SLOTS = 3;

const here = new URL('.', import.meta.url);
const chunk = (name: string): Buffer => readFileSync(new URL(name, here));

/** What an error handler of ours (info.lua) puts between the message and the lines it came from. */
const STACK_MARK = '\0';

/** @param fields the keys of `info`; the real ones, or those of a test */
export async function createLuaRuntime(of: RuntimeHost, fields: readonly Field[] = FIELDS): Promise<Runtime> {
  const state = await LuaState.create(of.seed);
  const { api, main } = state;
  const numbers = fields.map((_, i) => BigInt(i + 1));

  let view: EventView | undefined;
  let keptView: EventView | undefined;
  let stage: Stage | undefined;
  let observer: CallObserver | undefined;
  // of the event's calls
  let row: readonly number[] = [];
  let chosenOfRow: Uint8Array | undefined;
  let call = -1;
  const { running } = of;
  /** Number of the script of the running, or of the last, call. */
  const caller = (): number | undefined => row[chosenOfRow === undefined ? call : (chosenOfRow[call] as number)];
  let startedAt = 0;
  let startedBytes = 0;
  let seenBytes: Uint8Array | undefined;
  let seenBuffer = Buffer.alloc(0);

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
    keptView ??= createEventView(view.names, of.hosts);
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
      const event = eventAt(thread, 1);
      for (let i = 0; i < fields.length; i++) {
        const field = fields[i] as Field;
        const value = field.read(event);
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

    spent: guarded((thread) => {
      const over = budget.spent(api.lua_tothread(thread, 1));
      if (over !== undefined) throw new Error(over);
      return 0;
    }),

    exhausted: (thread) => {
      api.lua_pushboolean(thread, budget.exhausted() ? 1 : 0);
      return 1;
    },

    started: (thread) => {
      startedAt = performance.now();
      startedBytes = state.memory(thread);
      return 0;
    },

    // The next call starts as one ends: a look at the clock is not cheap.
    ended: (thread) => {
      const script = caller();
      const now = performance.now();
      const bytes = state.memory(thread);
      if (script !== undefined && observer !== undefined) {
        observer.took(script, (now - startedAt) * 1000);
        if (bytes > startedBytes) observer.grew(script, bytes - startedBytes);
      }
      startedAt = now;
      startedBytes = bytes;
      return 0;
    },

    // Of each call: whoever ends this thread in the middle of it knows whose fault it was.
    starting: () => {
      call++;
      running[0] = caller() as number;
      return 0;
    },
  };

  // Start: the tables that Lua and we share, our chunks ------------------------------------------------------

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
  api.lua_createtable(main, 0, 1);
  const shared = reference();
  api.lua_settop(main, 0);
  const budget = createBudget(state, () => call);

  // Stack of the main thread: the dispatchers, load_script, unload_script, the maker of dispatchers, the message handler, the collector.
  const LOADER = CALLBACKS.length * SLOTS + 1;
  const UNLOADER = LOADER + 1;
  const MAKER = UNLOADER + 1;
  const HANDLER = MAKER + 1;
  const COLLECTOR = HANDLER + 1;
  for (let i = 1; i < LOADER; i++) api.lua_pushnil(main);

  state.load(chunk('sandbox.lua'), '=flowpatrol sandbox');
  api.lua_createtable(main, 0, 20);
  for (const [name, f] of Object.entries(host)) setField(name, () => state.pushFunction(f));
  for (const [name, f] of Object.entries(createLibrary({ state, host: of, view: () => view }))) {
    setField(name, () => state.pushFunction(guarded(f)));
  }
  setField('fields', () => api.lua_rawgeti(main, LUA_REGISTRY, namesReference));
  setField('interface_id', () => state.pushInteger(main, of.interfaceId));
  setField('interface_name', () => state.pushText(main, latin1(of.interfaceName)));
  setField('getters', () => {
    api.lua_createtable(main, 0, 24);
    for (const [name, keys] of Object.entries(GETTERS)) setField(name, () => state.pushText(main, keys.join(' ')));
  });
  // info.lua(host, shared) -> lazy, then sandbox.lua(host, lazy, shared) -> load_script, unload_script, dispatcher, describe
  state.load(chunk('info.lua'), '=flowpatrol info');
  api.lua_pushvalue(main, -2);
  api.lua_rawgeti(main, LUA_REGISTRY, shared);
  state.call(2, 1);
  api.lua_rawgeti(main, LUA_REGISTRY, shared);
  state.call(3, 4);
  state.load('return collectgarbage', '=flowpatrol collector');
  state.call(0, 1);

  const stages = Object.fromEntries(
    CALLBACKS.map((callback, i) => [
      callback,
      { callback, scripts: [], prepared: [], fetched: new Uint32Array(fields.length), slot: i * SLOTS + 1, stale: true } satisfies Stage,
    ]),
  ) as unknown as Record<Callback, Stage>;

  function makeDispatchers(of: Stage): void {
    of.stale = false;
    api.lua_pushvalue(main, MAKER);
    state.pushText(main, of.callback);
    state.pushText(main, of.scripts.join(','));
    state.pushText(main, of.prepared.map(({ field }) => field.key).join(' '));
    state.call(3, SLOTS);
    for (let i = SLOTS; i > 0; i--) {
      api.lua_copy(main, -1, of.slot + i - 1);
      api.lua_settop(main, -2);
    }
  }

  function collect(): void {
    api.lua_pushvalue(main, COLLECTOR);
    state.call(0, 0);
  }

  /** Tells of the call that failed. */
  function failed(of: CallObserver): void {
    const [message = '', stack = ''] = state.text(main, -1).split(STACK_MARK);
    const outOfMemory = state.failure === LUA_ERRMEM || budget.exhausted() === 'memory';
    api.lua_settop(main, COLLECTOR);
    const script = caller();
    // only a fault of our own can fail where no script was called yet
    if (script === undefined) throw new Error(message);
    const reason = outOfMemory ? 'memory' : budget.exhausted() === 'budget' ? 'budget' : 'error';
    if (outOfMemory) collect();
    of.failed(script, reason, message || 'not enough memory', stack);
  }

  function pushPositions(chosen: Uint8Array | undefined): void {
    if (chosen === undefined) {
      api.lua_pushnil(main);
      return;
    }
    const at = state.staging(chosen.length);
    for (let i = 0; i < chosen.length; i++) api.bytes[at + i] = (chosen[i] as number) + 1;
    api.lua_pushlstring(main, at, chosen.length);
  }

  function pushEvent(event: EventView, prepared: readonly Prepared[]): void {
    const bytes = bufferOf(event.bytes());
    const offset = event.offset();
    state.pushBytes(main, bytes, offset, eventLength(bytes, offset));
    for (let i = 0; i < prepared.length; i++) {
      const { field, integer, ipv4 } = prepared[i] as Prepared;
      if (ipv4 !== undefined && !event.isIpv6()) state.pushIpv4(main, ipv4(event));
      else pushValue(main, field.read(event), integer);
    }
  }

  return {
    load(script: number, version: ScriptVersion): Definition {
      call = -1;
      budget.restart(LOAD_BUDGET);
      api.lua_pushvalue(main, LOADER);
      state.pushInteger(main, script);
      state.pushText(main, latin1(version.file));
      state.pushBytes(main, Buffer.from(version.source), 0, version.source.length);
      try {
        state.call(3, 2);
        const [text = ''] = state.text(main, -1).split(STACK_MARK);
        if (api.lua_toboolean(main, -2) === 0) throw new Error(text);
        return JSON.parse(text) as Definition;
      } finally {
        api.lua_settop(main, COLLECTOR);
      }
    },

    unload(script) {
      call = -1;
      budget.restart(LOAD_BUDGET);
      api.lua_pushvalue(main, UNLOADER);
      state.pushInteger(main, script);
      state.tryCall(1, HANDLER);
      api.lua_settop(main, COLLECTOR);
    },

    arrange(callback, order) {
      const arranged = stages[callback];
      arranged.scripts = [...order];
      arranged.stale = true;
    },

    run({ view: event, callback, chosen, timed }: EventCall, of: CallObserver) {
      const current = stages[callback];
      const count = chosen === undefined ? current.scripts.length : chosen.length;
      if (count === 0) return;
      if (current.stale) makeDispatchers(current);
      view = event;
      stage = current;
      observer = of;
      row = current.scripts;
      chosenOfRow = chosen;
      call = -1;
      budget.restart(CALL_BUDGET);
      const all = chosen === undefined && !timed;
      try {
        api.lua_pushvalue(main, all ? current.slot : current.slot + 1);
        if (!all) {
          api.lua_pushboolean(main, timed ? 1 : 0);
          pushPositions(chosen);
        }
        pushEvent(event, current.prepared);
        let ok = state.tryCall((all ? 1 : 3) + current.prepared.length, HANDLER);
        while (!ok) {
          failed(of);
          if (call + 1 >= count) break;
          budget.restart(CALL_BUDGET);
          api.lua_pushvalue(main, current.slot + 2);
          api.lua_pushboolean(main, timed ? 1 : 0);
          pushPositions(chosen);
          state.pushInteger(main, call + 2);
          ok = state.tryCall(3, HANDLER);
        }
      } finally {
        api.lua_settop(main, COLLECTOR);
        stage = undefined;
        view = undefined;
      }
    },

    memory(collected) {
      if (collected) collect();
      return state.memory(main);
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
