/**
 * Lua 5.4 as WebAssembly, through the C API itself: strings in and out, functions for Lua, protected calls.
 *
 * wasmoon supplies the WASM module; its own wrappers are not used, because they cost ten times more per call.
 * Strings cross as bytes: a JavaScript string in Latin-1 form (one character, one byte) becomes the same bytes in Lua.
 */
import { type LuaApi, type LuaFunction, type LuaThread, loadWasm } from './wasm.ts';

export const LUA_REGISTRY = -1_001_000; // LUAI_MAXSTACK 1,000,000: -LUAI_MAXSTACK - 1000
export const LUA_MASK_COUNT = 8;
export const LUA_NIL = 0;
/** Status of a call that ran out of memory. */
export const LUA_ERRMEM = 4;

/** Shorter strings are written byte by byte: that is faster than a call to Buffer. */
const SHORT_STRING = 40;
const DIGIT_0 = 0x30;
const DOT = 0x2e;

/** Offsets in `lua_State` and `global_State`. */
const GLOBAL_STATE = 16;
const TOTAL_BYTES = 8;
const GC_DEBT = 12;

/** A 64-bit integer, and its halves. */
const WHOLE = new BigInt64Array(1);
const HALVES = new Int32Array(WHOLE.buffer);

/** One Lua state with the standard libraries, and the conversions in and out of it. */
export class LuaState {
  readonly api: LuaApi;
  /** The main thread. */
  readonly main: LuaThread;
  /** Status of the last {@link tryCall} that failed. */
  failure = 0;
  #staging: number;
  #stagingBytes = 64 * 1024;
  readonly #length: number;

  private constructor(api: LuaApi, main: LuaThread) {
    this.api = api;
    this.main = main;
    this.#staging = api.malloc(this.#stagingBytes);
    this.#length = api.malloc(8);
    api.lua_checkstack(main, 512);
    this.#checkLayout();
  }

  /** The bytes in use are read from the structures of lstate.h (Lua 5.4, 32-bit addresses): they are asked for often. */
  memory(thread: LuaThread): number {
    const { words } = this.api;
    const global = words[(thread + GLOBAL_STATE) >> 2] as number;
    return (words[(global + TOTAL_BYTES) >> 2] as number) + ((words[(global + GC_DEBT) >> 2] as number) | 0);
  }

  #checkLayout(): void {
    this.load("return collectgarbage('count') * 1024", '=flowpatrol memory');
    this.call(0, 1);
    const told = this.number(this.main, -1);
    this.api.lua_settop(this.main, 0);
    if (Math.abs(this.memory(this.main) - told) > 4096) throw new Error('wasmoon: the structures of its Lua are not those of Lua 5.4');
  }

  /**
   * @param seed of Lua's hashes and random numbers, below 2^31: with the same one `pairs` has the same order
   */
  static async create(seed: number): Promise<LuaState> {
    const api = await loadWasm();
    const now = Date.now;
    // Seeds are time(NULL), which is Date.now() here; the calls below are synchronous.
    Date.now = () => seed * 1000;
    let main: LuaThread;
    try {
      main = api.luaL_newstate();
      if (main === 0) throw new Error('not enough memory for a Lua state');
      api.luaL_openlibs(main);
    } finally {
      Date.now = now;
    }
    return new LuaState(api, main);
  }

  /** A buffer in WASM memory for bytes on their way into Lua; valid until the next call. */
  staging(bytes: number): number {
    if (bytes > this.#stagingBytes) {
      this.api.free(this.#staging);
      this.#stagingBytes = bytes * 2;
      this.#staging = this.api.malloc(this.#stagingBytes);
      if (this.#staging === 0) throw new Error('not enough memory in the Lua engine');
    }
    return this.#staging;
  }

  /** Pushes a string in Latin-1 form as its bytes. */
  pushText(thread: LuaThread, text: string): void {
    const length = text.length;
    const at = this.staging(length);
    const { bytes } = this.api;
    if (length <= SHORT_STRING) {
      for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i);
    } else {
      bytes.latin1Write(text, at, length);
    }
    this.api.lua_pushlstring(thread, at, length);
  }

  pushBytes(thread: LuaThread, from: Buffer, offset: number, length: number): void {
    const at = this.staging(length);
    from.copy(this.api.bytes, at, offset, offset + length);
    this.api.lua_pushlstring(thread, at, length);
  }

  /** Pushes the dotted text of an IPv4 address, a number. */
  pushIpv4(thread: LuaThread, address: number): void {
    const start = this.staging(16);
    const { bytes } = this.api;
    let at = start;
    for (let shift = 24; shift >= 0; shift -= 8) {
      const byte = (address >>> shift) & 0xff;
      if (byte >= 100) bytes[at++] = DIGIT_0 + ((byte / 100) | 0);
      if (byte >= 10) bytes[at++] = DIGIT_0 + (((byte / 10) | 0) % 10);
      bytes[at++] = DIGIT_0 + (byte % 10);
      bytes[at++] = DOT;
    }
    this.api.lua_pushlstring(thread, start, at - 1 - start);
  }

  /** Pushes a whole number below 2^53. Reading it as 64 bits is many times faster than `BigInt(value)`. */
  pushInteger(thread: LuaThread, value: number): void {
    HALVES[0] = value;
    HALVES[1] = Math.floor(value / 2 ** 32);
    this.api.lua_pushinteger(thread, WHOLE[0] as bigint);
  }

  /** The string at a stack index as bytes (a copy); an empty one when it is no string or number. */
  bytes(thread: LuaThread, index: number): Buffer {
    const at = this.api.lua_tolstring(thread, index, this.#length);
    if (at === 0) return Buffer.alloc(0);
    const length = this.api.words[this.#length >> 2] ?? 0;
    return Buffer.from(this.api.bytes.subarray(at, at + length));
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
    return this.api.lua_tonumberx(thread, index, 0);
  }

  isNil(thread: LuaThread, index: number): boolean {
    return this.api.lua_type(thread, index) <= LUA_NIL;
  }

  /** A zero-terminated string in WASM memory that stays there. */
  constant(text: string): number {
    const at = this.api.malloc(text.length + 1);
    this.api.bytes.latin1Write(text, at, text.length);
    this.api.bytes[at + text.length] = 0;
    return at;
  }

  /** The bytes up to the terminating zero, at most 200. */
  zeroTerminated(at: number): string {
    const memory = this.api.bytes;
    let end = at;
    while (end < at + 200 && memory[end] !== 0) end++;
    return memory.latin1Slice(at, end);
  }

  /** Pushes a JavaScript function. It must not throw: a JavaScript exception would leave the Lua state in pieces. */
  pushFunction(f: LuaFunction): void {
    this.api.lua_pushcclosure(this.main, this.api.addFunction(f as (...args: number[]) => number, 'ii'), 0);
  }

  /** Raises a Lua error from within a {@link LuaFunction}; never returns. */
  raise(thread: LuaThread, message: string): number {
    this.pushText(thread, message);
    return this.api.lua_error(thread);
  }

  /**
   * Compiles a chunk of our own and pushes it.
   * @param name chunk name as Lua wants it (`@file` or `=text`)
   */
  load(source: Uint8Array | string, name: string): void {
    const bytes = typeof source === 'string' ? Buffer.from(source, 'utf8') : source;
    const at = this.api.malloc(bytes.length + 1);
    this.api.bytes.set(bytes, at);
    const nameAt = this.constant(name);
    const status = this.api.luaL_loadbufferx(this.main, at, bytes.length, nameAt, 0);
    this.api.free(nameAt);
    this.api.free(at);
    if (status !== 0) this.#fail();
  }

  /** Calls the function below `args` arguments on the main thread; an error becomes an `Error`. */
  call(args: number, results: number): void {
    if (this.api.lua_pcallk(this.main, args, results, 0, 0, 0) !== 0) this.#fail();
  }

  /**
   * Calls as {@link call} does, without results, with a message handler at a stack index.
   * @returns false: it failed; what the handler made of the error is on top of the stack, and `failure` is the status
   */
  tryCall(args: number, handler: number): boolean {
    this.failure = this.api.lua_pcallk(this.main, args, 0, handler, 0, 0);
    return this.failure === 0;
  }

  close(): void {
    this.api.lua_close(this.main);
  }

  #fail(): never {
    const message = this.text(this.main, -1);
    this.api.lua_settop(this.main, -2);
    throw new Error(message || 'error in the Lua engine');
  }
}
