/**
 * Words in shared memory by which the main thread knows that scripts run, and which one: it may end the thread while they do
 * (watch.ts). Used by the thread of a script host.
 *
 *   enter ──► scripts ──► leave        aside: work of ours in the middle of a call
 */
import { HOST_ENDED, HOST_IDLE, HOST_IN_CALL, WATCH_CALLBACK, WATCH_CALLS, WATCH_SCRIPT, WATCH_STATE } from '../../interfaces/protocol.ts';

export interface Stay {
  /**
   * Scripts run from here on. A row of calls counts as one stay: each operation of `Atomics` costs.
   * @param call position in CALLBACKS, CALL_LOAD or CALL_UNLOAD
   */
  enter(call: number, script?: number): void;
  /** They have returned. If the main thread has decided otherwise in the meantime, this thread has come to its end. */
  leave(): void;
  /** Does what takes its time and is no script's fault, in the middle of a call or elsewhere. */
  aside<T>(work: () => T): T;
}

export function createStay(watch: Int32Array): Stay {
  let calls = 0;
  function leave(): void {
    if (Atomics.compareExchange(watch, WATCH_STATE, HOST_IN_CALL, HOST_IDLE) === HOST_ENDED) Atomics.wait(watch, WATCH_STATE, HOST_ENDED);
  }
  function begin(): void {
    Atomics.store(watch, WATCH_CALLS, ++calls);
    Atomics.store(watch, WATCH_STATE, HOST_IN_CALL);
  }
  return {
    enter(call, script = 0) {
      watch[WATCH_CALLBACK] = call;
      watch[WATCH_SCRIPT] = script;
      begin();
    },
    leave,
    aside(work) {
      const inCall = watch[WATCH_STATE] === HOST_IN_CALL;
      if (inCall) leave();
      const result = work();
      if (inCall) begin();
      return result;
    },
  };
}
