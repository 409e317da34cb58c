/** The wall clock and its timers, for what happens outside the traffic: writing, sending, when somebody said something. */
export interface Clock {
  /** ms since 1970. */
  now(): number;
  /** Runs `task` once, after `ms`. It keeps no process alive. @returns takes it back */
  after(ms: number, task: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, task) {
    const timer = setTimeout(task, ms).unref();
    return () => clearTimeout(timer);
  },
};
