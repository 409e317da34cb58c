/**
 * The WASM module: its bare functions, and a limit of memory that a script cannot exceed; beyond it Lua says "not enough
 * memory" to the call that asked. The file of wasmoon allows 2 GiB; we lower the maximum in its memory section.
 *
 *   glue.wasm ──limit──► WebAssembly.instantiate ──exports──► LuaApi, for state.ts
 *                            ▲ clock, formats of dates, growth of the memory
 *   wasmoon's glue ──────────┘
 *
 * The glue was built for debugging: each call of one of its functions costs two checks with messages and a look-up by name,
 * each protected call of Lua a look-up in a table of the runtime. So the instance is caught while the glue makes it.
 */
import { readFileSync } from 'node:fs';
import { LuaWasm } from 'wasmoon';

/** Memory of all scripts of an engine together. */
export const MEMORY_LIMIT = 256 * 1024 * 1024;
const PAGE = 65_536;

// WebAssembly core specification, section 5.5: 8 bytes of header, then sections: id, size, content. Numbers are LEB128.
const SECTION_MEMORY = 5;
const LIMIT_HAS_MAXIMUM = 1;

/** @returns the number at `at` and the offset behind it */
function leb128(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] as number;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

/** Lowers the maximum of the module's memory in place. */
export function limitMemory(wasm: Uint8Array, pages: number): void {
  for (let at = 8; at < wasm.length; ) {
    const id = wasm[at];
    const [size, content] = leb128(wasm, at + 1);
    if (id === SECTION_MEMORY) {
      const flags = wasm[content + 1] as number;
      const [minimum, from] = leb128(wasm, content + 2);
      if ((flags & LIMIT_HAS_MAXIMUM) === 0 || minimum > pages) break;
      const [, end] = leb128(wasm, from);
      // The number keeps its length: LEB128 may have leading zeros.
      for (let i = from; i < end; i++) {
        wasm[i] = (pages / 2 ** (7 * (i - from))) & 0x7f;
        if (i < end - 1) wasm[i] = (wasm[i] as number) | 0x80;
      }
      if (leb128(wasm, from)[0] === pages) return;
      break;
    }
    at = content + size;
  }
  throw new Error('wasmoon: the memory of its WASM module cannot be limited');
}

/** Address of a `lua_State` in WASM memory: the main thread or a coroutine. */
export type LuaThread = number;
/** A C function as JavaScript: takes its arguments from the stack, pushes results, returns how many. */
export type LuaFunction = (thread: LuaThread) => number;

/** The part of the C API in use (manual of Lua 5.4, section 4.6). `lua_Integer` is a BigInt, `size_t *` an address or 0. */
interface LuaFunctions {
  malloc(bytes: number): number;
  free(address: number): void;
  luaL_newstate(): LuaThread;
  luaL_openlibs(L: LuaThread): void;
  luaL_loadbufferx(L: LuaThread, text: number, length: number, name: number, mode: number): number;
  luaL_ref(L: LuaThread, index: number): number;
  luaL_where(L: LuaThread, level: number): void;
  lua_close(L: LuaThread): void;
  lua_checkstack(L: LuaThread, slots: number): number;
  lua_concat(L: LuaThread, count: number): void;
  lua_copy(L: LuaThread, from: number, to: number): void;
  lua_createtable(L: LuaThread, array: number, record: number): void;
  lua_error(L: LuaThread): number;
  lua_getinfo(L: LuaThread, what: number, debug: number): number;
  lua_pcallk(L: LuaThread, args: number, results: number, handler: number, context: number, continuation: number): number;
  lua_pushboolean(L: LuaThread, value: number): void;
  lua_pushcclosure(L: LuaThread, f: number, upvalues: number): void;
  lua_pushinteger(L: LuaThread, value: bigint): void;
  lua_pushlstring(L: LuaThread, address: number, length: number): number;
  lua_pushnil(L: LuaThread): void;
  lua_pushnumber(L: LuaThread, value: number): void;
  lua_pushvalue(L: LuaThread, index: number): void;
  lua_rawgeti(L: LuaThread, index: number, n: bigint): number;
  lua_rawset(L: LuaThread, index: number): void;
  lua_sethook(L: LuaThread, hook: number, mask: number, count: number): void;
  lua_settop(L: LuaThread, index: number): void;
  lua_toboolean(L: LuaThread, index: number): number;
  lua_tolstring(L: LuaThread, index: number, length: number): number;
  lua_tonumberx(L: LuaThread, index: number, isNumber: number): number;
  lua_tothread(L: LuaThread, index: number): LuaThread;
  lua_type(L: LuaThread, index: number): number;
}

/** One instance of the module. */
export interface LuaApi extends LuaFunctions {
  /** The memory; both are made anew when it grows. */
  bytes: Buffer;
  words: Uint32Array;
  /** @returns address of a C function that calls `f` */
  addFunction(f: (...args: number[]) => number | undefined, signature: string): number;
}

interface LuaExports extends LuaFunctions {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly __indirect_function_table: { get(index: number): (a: number, b: number) => void };
  stackSave(): number;
  stackRestore(at: number): void;
  setThrew(threw: number, value: number): void;
}

interface Imports {
  readonly env: {
    /** Calls a function of the module in which C may jump out: a protected call of Lua. */
    invoke_vii(index: number, a: number, b: number): void;
    emscripten_resize_heap(bytes: number): boolean;
  };
}

interface Instantiated {
  readonly instance: { readonly exports: LuaExports };
}

/** The global of this name, which Node's types do not have. */
const runtime = (globalThis as unknown as { WebAssembly: { instantiate(bytes: Uint8Array, imports: Imports): Promise<Instantiated> } })
  .WebAssembly;

/** A jump of C (`longjmp`) is this exception; any other one is of JavaScript. */
const JUMP = Number.POSITIVE_INFINITY;

/** As the glue's function, without its checks. */
function invoker(exports: LuaExports): Imports['env']['invoke_vii'] {
  const { stackSave, stackRestore, setThrew, __indirect_function_table: table } = exports;
  const functions: ((a: number, b: number) => void)[] = [];
  return (index, a, b) => {
    const stack = stackSave();
    try {
      (functions[index] ??= table.get(index))(a, b);
    } catch (error) {
      stackRestore(stack);
      if (error !== JUMP) throw error;
      setThrew(1, 0);
    }
  };
}

/** An object of its own: look-ups in the exports of an instance, or in the glue's module, are slow. */
function apiOf(exports: LuaExports, addFunction: LuaApi['addFunction']): LuaApi {
  return {
    bytes: Buffer.from(exports.memory.buffer),
    words: new Uint32Array(exports.memory.buffer),
    addFunction,
    malloc: exports.malloc,
    free: exports.free,
    luaL_newstate: exports.luaL_newstate,
    luaL_openlibs: exports.luaL_openlibs,
    luaL_loadbufferx: exports.luaL_loadbufferx,
    luaL_ref: exports.luaL_ref,
    luaL_where: exports.luaL_where,
    lua_close: exports.lua_close,
    lua_checkstack: exports.lua_checkstack,
    lua_concat: exports.lua_concat,
    lua_copy: exports.lua_copy,
    lua_createtable: exports.lua_createtable,
    lua_error: exports.lua_error,
    lua_getinfo: exports.lua_getinfo,
    lua_pcallk: exports.lua_pcallk,
    lua_pushboolean: exports.lua_pushboolean,
    lua_pushcclosure: exports.lua_pushcclosure,
    lua_pushinteger: exports.lua_pushinteger,
    lua_pushlstring: exports.lua_pushlstring,
    lua_pushnil: exports.lua_pushnil,
    lua_pushnumber: exports.lua_pushnumber,
    lua_pushvalue: exports.lua_pushvalue,
    lua_rawgeti: exports.lua_rawgeti,
    lua_rawset: exports.lua_rawset,
    lua_sethook: exports.lua_sethook,
    lua_settop: exports.lua_settop,
    lua_toboolean: exports.lua_toboolean,
    lua_tolstring: exports.lua_tolstring,
    lua_tonumberx: exports.lua_tonumberx,
    lua_tothread: exports.lua_tothread,
    lua_type: exports.lua_type,
  };
}

/** What the module writes to the console each time it may not grow; Lua's own error says it already. */
const GROWTH = /^(growMemory: |Failed to grow the heap |Cannot enlarge memory)/;

async function load(): Promise<LuaApi> {
  const wasm = readFileSync(new URL('glue.wasm', import.meta.resolve('wasmoon')));
  limitMemory(wasm, MEMORY_LIMIT / PAGE);
  let exports: LuaExports | undefined;
  let api: LuaApi | undefined;
  const { instantiate } = runtime;
  // The module keeps the console.error that it finds while it starts.
  const { error } = console;
  console.error = (...args: unknown[]): void => {
    if (!GROWTH.test(String(args[0]))) error.apply(console, args);
  };
  runtime.instantiate = async (_, imports) => {
    let invoke: Imports['env']['invoke_vii'] | undefined;
    const env: Imports['env'] = {
      ...imports.env,
      invoke_vii: (index, a, b) => invoke?.(index, a, b),
      emscripten_resize_heap(bytes) {
        const grown = imports.env.emscripten_resize_heap(bytes);
        if (api !== undefined && exports !== undefined) {
          api.bytes = Buffer.from(exports.memory.buffer);
          api.words = new Uint32Array(exports.memory.buffer);
        }
        return grown;
      },
    };
    const source = await instantiate(wasm, { ...imports, env });
    exports = source.instance.exports;
    invoke = invoker(exports);
    return source;
  };
  try {
    // the environment lies in Lua's memory: with a path or a language in it, addresses and so the seeds of Lua would be others elsewhere
    const { module } = await LuaWasm.initialize(undefined, { _: 'lua', LANG: 'C' });
    if (exports === undefined) throw new Error('wasmoon: its WASM module cannot be caught');
    api = apiOf(exports, module.addFunction as LuaApi['addFunction']);
    return api;
  } finally {
    runtime.instantiate = instantiate;
    console.error = error;
  }
}

let loading: Promise<unknown> = Promise.resolve();

/** A new instance of the module. Made one after another: each changes global functions while it starts. */
export function loadWasm(): Promise<LuaApi> {
  const next = loading.then(load);
  loading = next.catch(() => {}); // whoever asked for it has the error
  return next;
}
