/**
 * The script host: which scripts there are, and which of them are called for an event.
 *
 *   change(), switch() ──► loaded versions (host/loading.ts) ──► order of calls per callback (host/plan.ts)
 *   run(view, callback) ──► filter, breaker, shedding ──► Runtime of each language ──► effects, kept back (host/outcome.ts) ──► HostSink
 *
 * Called by worker.ts for an interface, and by `flowpatrol test` and `replay`. Synchronous, but for `relieve`; an error of a script never
 * leaves it.
 */
import { randomInt } from 'node:crypto';
import type { Callback } from '../flows/event.ts';
import { FIELDS } from '../flows/fields.ts';
import type { EventView } from '../flows/view.ts';
import { EMPTY_BOOK } from '../hosts/book.ts';
import { createEffects } from './effects.ts';
import { stoppedBy } from './host/filter.ts';
import { createLimits } from './host/limits.ts';
import { createLoading } from './host/loading.ts';
import { createOutcome, type Skip } from './host/outcome.ts';
import { createPlans, type Segment } from './host/plan.ts';
import { reportOf } from './host/reports.ts';
import { createScriptSet, type Loaded, type Script, usedUs } from './host/scripts.ts';
import type { ScriptHost, ScriptHostOptions } from './host/types.ts';
import { createLuaRuntime } from './lua/engine.ts';
import type { CallProfile } from './profile.ts';
import type { CallFilter, EventCall, Language, Runtime, RuntimeHost } from './runtime.ts';
import { createTypeScriptRuntime } from './typescript/runtime.ts';

export type * from './host/types.ts';

/** One event in so many is measured (a power of two). */
const SAMPLE = 16;

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
  const runtimes: Readonly<Record<Language, Runtime>> = {
    lua: await createLuaRuntime(runtimeHost, fields),
    typescript: createTypeScriptRuntime(runtimeHost, fields),
  };
  const scripts = createScriptSet(options.names.packetInterface, options.tally);
  const plans = createPlans(scripts, Object.values(runtimes));
  const maxIdle = (): number => options.preferences().flow_max_idle;
  const filteredBy = (script: Script, callback: Callback, view: EventView): keyof CallFilter | undefined =>
    stoppedBy((script.loaded as Loaded).definition.filter, callback, view, maxIdle);
  const outcome = createOutcome({ scripts, plans, effects, sink, breaker, stoppedBy: filteredBy });
  const { observer } = outcome;
  const loading = createLoading({ scripts, plans, runtimes, fields, sink, guard, tell: outcome.tellLoading });
  const limits = createLimits({ scripts, runtimes, switchedOff: outcome.switchedOff, reload: loading.reload });
  let events = 0;
  let crowded = false;
  let measured = false;
  /** One object for all calls: making one for each event costs as much as a script. */
  const request: { -readonly [K in keyof EventCall]: EventCall[K] | undefined } = {
    view: undefined,
    callback: undefined,
    chosen: undefined,
    timed: undefined,
  };

  /** Why a script is not called for the event, if it is not. */
  function skipOf(script: Script, callback: Callback, view: EventView): Skip | undefined {
    if (script.breaker.broken !== undefined) {
      if (!script.breaker.cooled(view.time())) return 'broken';
      outcome.cooled(script);
    }
    if (filteredBy(script, callback, view) !== undefined) return 'filter';
    if (crowded && script.greedy && (events & 1) === 0) return 'shed';
    return undefined;
  }

  /** Positions in the runtime's row of the scripts that are called; undefined = the whole row. @param alone the segment is that row */
  function choose(segment: Segment, alone: boolean, callback: Callback, view: EventView): Uint8Array | undefined {
    const { scripts: members, profiles, start } = segment;
    const chosen = new Uint8Array(members.length);
    let count = 0;
    for (let i = 0; i < members.length; i++) {
      const script = members[i] as Script;
      const profile = profiles[i] as CallProfile;
      const skip = segment.filtered || crowded ? skipOf(script, callback, view) : undefined;
      if (skip === undefined) {
        chosen[count++] = start + i;
        outcome.called(profile);
      } else {
        outcome.skipped(script, profile, skip);
      }
    }
    return alone && count === members.length ? undefined : chosen.subarray(0, count);
  }

  function call(view: EventView, callback: Callback): void {
    const row = plans.of(callback);
    if (row.length === 0) return;
    const timed = (events++ & (SAMPLE - 1)) === 0 || limits.heavy();
    outcome.begin(view, callback, sink.trace !== undefined && options.traced?.(view) === true);
    request.view = view;
    request.callback = callback;
    request.timed = timed;
    try {
      for (const segment of row) {
        const { profiles } = segment;
        let chosen: Uint8Array | undefined;
        if (segment.filtered || crowded || row.length > 1) {
          chosen = choose(segment, row.length === 1, callback, view);
          if (chosen?.length === 0) continue;
        } else {
          for (let i = 0; i < profiles.length; i++) outcome.called(profiles[i] as CallProfile);
        }
        request.chosen = chosen;
        segment.runtime.run(request as EventCall, observer);
        outcome.through(segment, chosen);
      }
    } catch (error) {
      outcome.lost(error as Error);
    }
    measured = timed;
  }

  function commit(view: EventView, callback: Callback): void {
    outcome.commit(view, callback);
    if (!measured) return;
    measured = false;
    limits.limitMemory(view, callback);
    if (breaker) limits.compareTime(view.time());
  }

  return {
    reports() {
      const all = scripts.ordered();
      const total = all.reduce((sum, script) => sum + usedUs(script), 0);
      return all.map((script) => reportOf(script, scripts.stateOf(script), total === 0 ? 0 : usedUs(script) / total, options.translate));
    },
    change: loading.change,
    switch(key, to) {
      scripts.switch(key, to);
      plans.changed();
    },
    callbacks: plans.callbacks,
    feedsBack: () => scripts.called().some(({ loaded }) => loaded?.feedsBack === true),
    exclude: loading.exclude,
    crowd(now) {
      crowded = now;
    },
    call,
    commit,
    run(view, callback) {
      call(view, callback);
      commit(view, callback);
    },
    overfull: limits.overfull,
    relieve: limits.relieve,
    effectsDropped: effects.dropped,
    close() {
      for (const runtime of Object.values(runtimes)) runtime.close();
    },
  };
}
