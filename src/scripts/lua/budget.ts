/**
 * The budget of a call: a count hook of the Lua VM that ends a call after so many instructions.
 *
 * The hook runs every {@link TICK_INSTRUCTIONS} instructions. When the budget is used up it raises an error; from then on
 * every tick of the same call raises again, and the sandbox's `pcall`, `resume`… (lua/sandbox.lua) pass the error on, so a
 * script cannot catch it and stay. Our own chunks (name `=flowpatrol…`) are never interrupted: they are short, and the
 * other scripts depend on what they leave behind.
 *
 * The counting restarts with each event: a call ends at the same instruction on every machine.
 */
import { LUA_MASK_COUNT, type LuaState } from './state.ts';

/** Instructions one call of a script may run. */
export const CALL_BUDGET = 1_000_000;
/** Instructions that loading a script, with its `setup()`, may run. */
export const LOAD_BUDGET = 10_000_000;
export const TICK_INSTRUCTIONS = 10_000;
/** Bytes by which the state may grow within one call. */
export const CALL_BYTES = 64 << 20;
/** Chunks whose name starts so are ours. Scripts cannot name a chunk like this. */
export const TRUSTED_CHUNK = '=flowpatrol';

/** Bytes within which the fields of `lua_State` lie. */
const LARGEST_STATE = 256;
/** Offset of `source` in `lua_Debug` (lua.h of 5.4, 32-bit addresses). */
const DEBUG_SOURCE = 16;

export interface Budget {
  /** Starts counting afresh on the main thread. */
  restart(limit: number): void;
  /**
   * A coroutine has yielded or ended: what it ran since its last tick counts too, or a call could do all its work in short ones.
   * @returns why the call ends now, if it does
   */
  spent(coroutine: number): string | undefined;
  /** What the running call has used up. */
  exhausted(): 'budget' | 'memory' | undefined;
}

/** @param runningCall numbers the calls of an event from 0 on; -1 = none has begun */
export function createBudget(state: LuaState, runningCall: () => number): Budget {
  const { api, main } = state;
  const what = state.constant('S');
  let limit = CALL_BUDGET;
  let call = -1;
  let used = 0;
  let startBytes = 0;
  let killed: 'budget' | 'memory' | undefined;
  /** The hook comes at every instruction: a call over its budget was met in a chunk of ours, and is ended as soon as it leaves it. */
  let watching = false;

  function watch(thread: number, every: boolean): void {
    watching = every;
    api.lua_sethook(thread, hook, LUA_MASK_COUNT, every ? 1 : TICK_INSTRUCTIONS);
  }

  const hook: number = api.addFunction((thread = 0, debug = 0) => {
    const running = runningCall();
    if (running !== call) {
      call = running;
      used = 0;
      killed = undefined;
      startBytes = state.memory(thread);
      if (watching) watch(thread, false);
    }
    used += TICK_INSTRUCTIONS;
    const grown = state.memory(thread) - startBytes;
    if (used < limit && grown < CALL_BYTES && killed === undefined) return;
    api.lua_getinfo(thread, what, debug);
    if (state.zeroTerminated(api.words[(debug + DEBUG_SOURCE) >> 2] ?? 0).startsWith(TRUSTED_CHUNK)) {
      // a loop whose length divides the ticks would be met there each time
      if (!watching) watch(thread, true);
      return;
    }
    killed ??= used < limit ? 'memory' : 'budget';
    api.luaL_where(thread, 0);
    state.pushText(thread, told());
    api.lua_concat(thread, 2);
    api.lua_error(thread);
  }, 'vii');

  const told = (): string => {
    const budget = killed === 'budget' ? `${limit.toLocaleString('en')} instructions` : `${CALL_BYTES >> 20} MiB of memory`;
    return `stopped: the call used up its budget of ${budget}`;
  };

  /** Offset in `lua_State` of the instructions left before the next tick, which stand behind those between two ticks (lstate.h). */
  const countdown = ((): number => {
    const mark = 123_457;
    api.lua_sethook(main, hook, LUA_MASK_COUNT, mark);
    const from = main >> 2;
    for (let at = 0; at < LARGEST_STATE >> 2; at++) {
      if (api.words[from + at] === mark && api.words[from + at + 1] === mark) return (at + 1) * 4;
    }
    throw new Error('wasmoon: the structures of its Lua are not those of Lua 5.4');
  })();

  return {
    restart(newLimit) {
      limit = newLimit;
      call = runningCall();
      used = 0;
      killed = undefined;
      startBytes = state.memory(main);
      watch(main, false);
    },
    spent(coroutine) {
      const at = (coroutine + countdown) >> 2;
      const between = api.words[at - 1] as number;
      used += between - (api.words[at] as number);
      api.words[at] = between;
      if (used < limit || killed !== undefined) return undefined;
      killed = 'budget';
      return told();
    },
    exhausted: () => killed,
  };
}
