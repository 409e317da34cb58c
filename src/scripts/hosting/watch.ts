/**
 * Looks from another thread at one that runs scripts, and ends a call that does not return.
 *
 *   WATCH_CALLS, WATCH_SCRIPT unchanged while the thread uses CPU time ──► HOST_ENDED ──► over(why)
 *
 * The thread says in plain words of shared memory what it is doing (interfaces/protocol.ts). Called for script hosts (host-thread.ts) and
 * for the workers of `test`, `replay` and `scripts list` (testing/watched.ts).
 */
import { CALLBACKS } from '../../flows/event.ts';
import {
  HOST_ENDED,
  HOST_IN_CALL,
  WATCH_CALLBACK,
  WATCH_CALLS,
  WATCH_SCRIPT,
  WATCH_STATE,
  WATCH_THREAD,
} from '../../interfaces/protocol.ts';
import { native } from '../../native.ts';

/** CPU time of one call after which it is ended from outside, µs. Instructions of Lua are limited anyway (lua/budget.ts). */
const STUCK_US = 200_000;
/** CPU time of loading a script, with its `setup`, or of unloading one, with its `teardown`, µs. */
const LOAD_STUCK_US = 1_500_000;
const WATCH_MS = 25;
/** A call that has used this part of its time may be one that does not return. */
const SLOW_PART = 4;

/** Ends the call that runs: what it was doing is undone. @returns false: none does */
export const endCall = (watch: Int32Array): boolean =>
  Atomics.compareExchange(watch, WATCH_STATE, HOST_IN_CALL, HOST_ENDED) === HOST_IN_CALL;

/**
 * @param over is told once, that a call was ended and why: the thread does nothing more, and is to be terminated
 * @param slow is told of a call that may come to that
 * @returns ends the watch
 */
export function watchCalls(watch: Int32Array, over: (why: string) => void, slow: () => void = () => {}): () => void {
  let calls = -1;
  let script = -1;
  let since = 0;
  const timer = setInterval(() => {
    const [seenCalls, seenScript] = [Atomics.load(watch, WATCH_CALLS), Atomics.load(watch, WATCH_SCRIPT)];
    const cpu = native.cpuOf(Atomics.load(watch, WATCH_THREAD));
    // each script of a row has its own time
    if (Atomics.load(watch, WATCH_STATE) !== HOST_IN_CALL || seenCalls !== calls || seenScript !== script) {
      calls = seenCalls;
      script = seenScript;
      since = cpu;
      return;
    }
    const most = Atomics.load(watch, WATCH_CALLBACK) < CALLBACKS.length ? STUCK_US : LOAD_STUCK_US;
    if (cpu - since > most / SLOW_PART) slow();
    if (cpu - since <= most || !endCall(watch)) return;
    clearInterval(timer);
    over(`did not return for ${most / 1000} ms of CPU time`);
  }, WATCH_MS);
  return () => clearInterval(timer);
}
