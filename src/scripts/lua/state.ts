/**
 * Lua 5.4 as WebAssembly, through the C API itself: strings in and out, functions for Lua, protected calls.
 *
 * wasmoon supplies the WASM module; its own wrappers are not used, because they cost ten times more per call.
 * Strings cross as bytes: a JavaScript string in Latin-1 form (one character, one byte) becomes the same bytes in Lua.
 */
import { loadWasm } from './wasm.ts';

/** Address of a `lua_State` in WASM memory: the main thread or a coroutine. */
export type LuaThread = number;
/** A C function as JavaScript: takes its arguments from the stack, pushes results, returns how many. */
export type LuaFunction = (thread: LuaThread) => number;

/** The part of the C API in use (manual of Lua 5.4, section 4.6). `lua_Integer` is a BigInt, `size_t *` an address or 0. */
export interface LuaApi {
  readonly HEAPU8: Uint8Array;
  readonly HEAPU32: Uint32Array;
  addFunction(f: (...args: number[]) => number | undefined, signature: string): number;
  _malloc(bytes: number): number;
  _free(address: number): void;
  _luaL_newstate(): LuaThread;
  _luaL_openlibs(L: LuaThread): void;
  _luaL_loadbufferx(L: LuaThread, text: number, length: number, name: number, mode: number): number;
  _luaL_ref(L: LuaThread, index: number): number;
  _luaL_where(L: LuaThread, level: number): void;
  _lua_close(L: LuaThread): void;
  _lua_checkstack(L: LuaThread, slots: number): number;
  _lua_concat(L: LuaThread, count: number): void;
  _lua_copy(L: LuaThread, from: number, to: number): void;
  _lua_createtable(L: LuaThread, array: number, record: number): void;
  _lua_error(L: LuaThread): number;
  _lua_getinfo(L: LuaThread, what: number, debug: number): number;
  _lua_gettop(L: LuaThread): number;
  _lua_pcallk(L: LuaThread, args: number, results: number, handler: number, context: number, continuation: number): number;
  _lua_pushboolean(L: LuaThread, value: number): void;
  _lua_pushcclosure(L: LuaThread, f: number, upvalues: number): void;
  _lua_pushinteger(L: LuaThread, value: bigint): void;
  _lua_pushlstring(L: LuaThread, address: number, length: number): number;
  _lua_pushnil(L: LuaThread): void;
  _lua_pushnumber(L: LuaThread, value: number): void;
  _lua_pushvalue(L: LuaThread, index: number): void;
  _lua_rawgeti(L: LuaThread, index: number, n: bigint): number;
  _lua_rawset(L: LuaThread, index: number): void;
  _lua_sethook(L: LuaThread, hook: number, mask: number, count: number): void;
  _lua_settop(L: LuaThread, index: number): void;
  _lua_toboolean(L: LuaThread, index: number): number;
  _lua_tolstring(L: LuaThread, index: number, length: number): number;
  _lua_tonumberx(L: LuaThread, index: number, isNumber: number): number;
  _lua_type(L: LuaThread, index: number): number;
}

export const LUA_REGISTRY = -1_001_000; // LUAI_MAXSTACK 1,000,000: -LUAI_MAXSTACK - 1000
export const LUA_MASK_COUNT = 8;
export const LUA_NIL = 0;

/** Shorter strings are written byte by byte: that is faster than a call to Buffer. */
const SHORT_STRING = 40;

/** One Lua state with the standard libraries, and the conversions in and out of it. */
export class LuaState {
  readonly api: LuaApi;
  /** The main thread. */
  readonly main: LuaThread;
  #staging: number;
  #stagingBytes = 64 * 1024;
  #memory: Buffer;
  readonly #length: number;

  private constructor(api: LuaApi, main: LuaThread) {
    this.api = api;
    this.main = main;
    this.#staging = api._malloc(this.#stagingBytes);
    this.#length = api._malloc(8);
    this.#memory = Buffer.from(api.HEAPU8.buffer);
    api._lua_checkstack(main, 512);
  }

  /**
   * @param repeatable the same seed for Lua's hashes every time, so `pairs` has the same order in every run; without it
   *   the seed is the time, so that nobody can choose traffic whose strings collide.
   */
  static async create(repeatable: boolean): Promise<LuaState> {
    const lua = await loadWasm();
    const api = lua.module as unknown as LuaApi;
    const now = Date.now;
    // lua_newstate seeds its hashes with time(NULL), which is Date.now() here; the call below is synchronous.
    if (repeatable) Date.now = () => 0;
    let main: LuaThread;
    try {
      main = api._luaL_newstate();
    } finally {
      Date.now = now;
    }
    if (main === 0) throw new Error('not enough memory for a Lua state');
    api._luaL_openlibs(main);
    return new LuaState(api, main);
  }

  /** WASM memory moves when it grows. */
  memory(): Buffer {
    if (this.#memory.buffer !== this.api.HEAPU8.buffer) this.#memory = Buffer.from(this.api.HEAPU8.buffer);
    return this.#memory;
  }

  /** A buffer in WASM memory for bytes on their way into Lua; valid until the next call. */
  staging(bytes: number): number {
    if (bytes > this.#stagingBytes) {
      this.api._free(this.#staging);
      this.#stagingBytes = bytes * 2;
      this.#staging = this.api._malloc(this.#stagingBytes);
      if (this.#staging === 0) throw new Error('not enough memory in the Lua engine');
    }
    return this.#staging;
  }

  /** Pushes a string in Latin-1 form as its bytes. */
  pushText(thread: LuaThread, text: string): void {
    const length = text.length;
    const at = this.staging(length);
    if (length <= SHORT_STRING) {
      const heap = this.api.HEAPU8;
      for (let i = 0; i < length; i++) heap[at + i] = text.charCodeAt(i);
    } else {
      this.memory().latin1Write(text, at, length);
    }
    this.api._lua_pushlstring(thread, at, length);
  }

  pushBytes(thread: LuaThread, bytes: Uint8Array, offset: number, length: number): void {
    const at = this.staging(length);
    this.api.HEAPU8.set(offset === 0 && length === bytes.length ? bytes : bytes.subarray(offset, offset + length), at);
    this.api._lua_pushlstring(thread, at, length);
  }

  /** The string at a stack index as bytes (a copy); an empty one when it is no string or number. */
  bytes(thread: LuaThread, index: number): Buffer {
    const at = this.api._lua_tolstring(thread, index, this.#length);
    if (at === 0) return Buffer.alloc(0);
    const length = this.api.HEAPU32[this.#length >> 2] ?? 0;
    return Buffer.from(this.memory().subarray(at, at + length));
  }

  /** The string at a stack index, read as UTF-8; what is no UTF-8 becomes U+FFFD. */
  text(thread: LuaThread, index: number): string {
    return this.bytes(thread, index).toString('utf8');
  }

  /** The string at a stack index in Latin-1 form. */
  latin1(thread: LuaThread, index: number): string {
    return this.bytes(thread, index).toString('latin1');
  }

  number(thread: LuaThread, index: number): number {
    return this.api._lua_tonumberx(thread, index, 0);
  }

  isNil(thread: LuaThread, index: number): boolean {
    return this.api._lua_type(thread, index) <= LUA_NIL;
  }

  /** A zero-terminated string in WASM memory that stays there. */
  constant(text: string): number {
    const at = this.api._malloc(text.length + 1);
    this.memory().latin1Write(text, at, text.length);
    this.api.HEAPU8[at + text.length] = 0;
    return at;
  }

  /** The bytes up to the terminating zero, at most 200. */
  zeroTerminated(at: number): string {
    const memory = this.memory();
    let end = at;
    while (end < at + 200 && memory[end] !== 0) end++;
    return memory.latin1Slice(at, end);
  }

  /** Pushes a JavaScript function. It must not throw: a JavaScript exception would leave the Lua state in pieces. */
  pushFunction(f: LuaFunction): void {
    this.api._lua_pushcclosure(this.main, this.api.addFunction(f as (...args: number[]) => number, 'ii'), 0);
  }

  /** Raises a Lua error from within a {@link LuaFunction}; never returns. */
  raise(thread: LuaThread, message: string): number {
    this.pushText(thread, message);
    return this.api._lua_error(thread);
  }

  /**
   * Compiles a chunk of our own and pushes it.
   * @param name chunk name as Lua wants it (`@file` or `=text`)
   */
  load(source: Uint8Array | string, name: string): void {
    const bytes = typeof source === 'string' ? Buffer.from(source, 'utf8') : source;
    const at = this.api._malloc(bytes.length + 1);
    this.api.HEAPU8.set(bytes, at);
    const nameAt = this.constant(name);
    const status = this.api._luaL_loadbufferx(this.main, at, bytes.length, nameAt, 0);
    this.api._free(nameAt);
    this.api._free(at);
    if (status !== 0) this.#fail();
  }

  /** Calls the function below `args` arguments on the main thread; an error becomes an `Error`. */
  call(args: number, results: number): void {
    if (this.api._lua_pcallk(this.main, args, results, 0, 0, 0) !== 0) this.#fail();
  }

  /**
   * Calls as {@link call} does, without results, with a message handler at a stack index.
   * @returns the error's message, `undefined` if all went well
   */
  tryCall(args: number, handler: number): string | undefined {
    if (this.api._lua_pcallk(this.main, args, 0, handler, 0, 0) === 0) return undefined;
    const message = this.text(this.main, -1);
    this.api._lua_settop(this.main, -2);
    return message;
  }

  close(): void {
    this.api._lua_close(this.main);
  }

  #fail(): never {
    const message = this.text(this.main, -1);
    this.api._lua_settop(this.main, -2);
    throw new Error(message || 'error in the Lua engine');
  }
}
