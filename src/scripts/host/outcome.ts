/**
 * What the calls of one callback lead to, kept back until it is through: calls, skips, failures, alerts, lines, changes of flows. A host that
 * has to be ended in the middle has told nobody.
 *
 *   runtimes ──CallObserver, effects──► Outcome ──commit──► HostSink, counts
 *
 * Called by host.ts.
 */
import type { Callback } from '../../flows/event.ts';
import type { FieldValue } from '../../flows/fields.ts';
import type { EventView } from '../../flows/view.ts';
import { type Effect, type EffectBuffer, printable } from '../effects.ts';
import type { CallProfile } from '../profile.ts';
import type { SkipReason } from '../report.ts';
import type { CallFilter, CallObserver, FailureReason } from '../runtime.ts';
import type { Plans, Segment } from './plan.ts';
import { keyOf, type Loaded, type Script, type ScriptSet } from './scripts.ts';
import type { CallTrace, FlowChange, HostSink } from './types.ts';

/** Why this host does not call a script. */
export type Skip = Exclude<SkipReason, 'queue full'>;

export interface Outcome {
  readonly observer: CallObserver;
  begin(view: EventView, callback: Callback, traced: boolean): void;
  /** A script is being called. */
  called(profile: CallProfile): void;
  skipped(script: Script, profile: CallProfile, reason: Skip): void;
  /** A row has been called. @param chosen positions in it; undefined = all */
  through(segment: Segment, chosen: Uint8Array | undefined): void;
  /** The scripts could not be called. */
  lost(error: Error): void;
  /** The breaker of the script has opened. */
  switchedOff(script: Script, reason: string): void;
  cooled(script: Script): void;
  /** What scripts have said while they were loaded. */
  tellLoading(): void;
  commit(view: EventView, callback: Callback): void;
}

interface OutcomeOptions {
  readonly scripts: ScriptSet;
  readonly plans: Plans;
  readonly effects: EffectBuffer;
  readonly sink: HostSink;
  /** Scripts that fail again and again are switched off. */
  readonly breaker: boolean;
  readonly stoppedBy: (script: Script, callback: Callback, view: EventView) => keyof CallFilter | undefined;
}

/** What an alert of the script says of its reason: the fields that its source names. */
function reasonOf(loaded: Loaded, view: EventView): Record<string, FieldValue> {
  const reason: Record<string, FieldValue> = {};
  for (const field of loaded.reads) {
    const value = field.read(view);
    if (value !== undefined) reason[field.key] = value;
  }
  return reason;
}

export function createOutcome({ scripts, plans, effects, sink, breaker, stoppedBy }: OutcomeOptions): Outcome {
  const { numbered } = scripts;
  // of the call under way
  let current: EventView | undefined;
  let currentCallback: Callback = 'protocolDetected';
  let traced = false;
  /** Scripts whose last call failed, and those whose call of this event did. */
  const failing = new Set<Script>();
  const failedNow = new Set<Script>();
  // counted when the call is through, as all that it leads to
  const called: CallProfile[] = []; // the first `calledCount` of them; an array that is emptied gives its memory back
  let calledCount = 0;
  const skipped: { readonly script: Script; readonly profile: CallProfile; readonly reason: Skip }[] = [];
  const raised: Script[] = [];
  const switchings: [script: string, on: boolean, reason: string][] = [];
  let failed: { readonly script: Script | undefined; readonly reason: FailureReason; readonly message: string }[] = [];

  function switchedOff(script: Script, reason: string): void {
    plans.changed();
    const { broken } = script.breaker;
    const back =
      broken === undefined || broken.until === 0 ? 'until it is switched on again' : `until ${new Date(broken.until / 1000).toISOString()}`;
    switchings.push([keyOf(script), false, `${reason}; it is off ${back}`]);
  }

  function tell(list: readonly Effect[], callback: Callback, view: EventView): void {
    const wanted: FlowChange[] = [];
    for (const effect of list) {
      const script = numbered.get(effect.script);
      if (script === undefined) continue;
      const { loaded } = script;
      const key = keyOf(script);
      if (effect.type === 'print') {
        sink.print(key, effect.level, effect.line, callback, view);
        continue;
      }
      if (loaded === undefined) continue;
      const shadow = scripts.switchOf(script) === 'shadow';
      if (effect.type === 'alert') {
        scripts.profileOf(script, callback).tally.alerted(shadow);
        raised.push(script);
        sink.alert({ ...effect.alert, script: key, version: loaded.version.hash, callback, shadow, reason: reasonOf(loaded, view) }, view);
      } else if (!shadow) {
        wanted.push(
          effect.type === 'status'
            ? { script: key, status: { id: effect.status, set: effect.set } }
            : { script: key, score: { of: effect.of, value: effect.value } },
        );
      }
    }
    if (wanted.length > 0) sink.changes(wanted, view);
  }

  /** Every script that has the callback, with what became of it. */
  function tracesOf(callback: Callback, view: EventView): CallTrace[] {
    return scripts
      .ordered()
      .filter((script) => script.loaded?.definition.callbacks.includes(callback) && !script.excluded)
      .map((script) => {
        const state = scripts.stateOf(script);
        const fault = failed.find((each) => each.script === script);
        const skip = skipped.find((each) => each.script === script)?.reason;
        const off = state === 'off' || state === 'off by setup' || state === 'not applicable' ? state : undefined;
        return {
          script: keyOf(script),
          outcome: off ?? (fault !== undefined ? 'failed' : (skip ?? 'run')),
          ...(fault === undefined ? {} : { message: fault.message }),
          ...(skip === 'filter' ? { filter: stoppedBy(script, callback, view) as keyof CallFilter } : {}),
          alerts: raised.filter((each) => each === script).length,
        };
      });
  }

  return {
    observer: {
      failed(number, reason, message, stack) {
        const script = numbered.get(number);
        if (script === undefined) return;
        failedNow.add(script);
        const line = printable(message);
        script.lastError = line;
        script.lastStack = stack.split('\n').map(printable).join('\n');
        failed.push({ script, reason, message: line });
        if (!breaker || current === undefined) return;
        failing.add(script);
        const opened = script.breaker.failed(current.time(), line);
        if (opened !== undefined) switchedOff(script, opened);
      },
      took(number, us) {
        const script = numbered.get(number);
        if (script !== undefined) scripts.profileOf(script, currentCallback).took(us);
      },
      grew(number, bytes) {
        const script = numbered.get(number);
        if (script !== undefined) script.grown += bytes;
      },
    },

    begin(view, callback, trace) {
      current = view;
      currentCallback = callback;
      traced = trace;
      effects.begin(view);
    },

    called(profile) {
      called[calledCount++] = profile;
    },

    skipped(script, profile, reason) {
      skipped.push({ script, profile, reason });
    },

    // calls that went well end the row of failures of their scripts
    through({ scripts: row, start }, chosen) {
      if (failing.size === 0) return;
      row.forEach((script, i) => {
        if (!failing.has(script) || failedNow.has(script) || chosen?.includes(start + i) === false) return;
        script.breaker.succeeded();
        failing.delete(script);
      });
      failedNow.clear();
    },

    lost(error) {
      failed.push({ script: undefined, reason: 'error', message: `the event was lost to the scripts: ${error.message}` });
    },

    switchedOff,

    cooled(script) {
      plans.changed();
      switchings.push([keyOf(script), true, 'its cooldown is over']);
    },

    tellLoading() {
      for (const effect of effects.take()) {
        const script = numbered.get(effect.script);
        if (script !== undefined && effect.type === 'print') sink.print(keyOf(script), effect.level, effect.line, 'load', undefined);
      }
    },

    commit(view, callback) {
      const done = effects.take();
      if (done.length > 0) tell(done, callback, view);
      if (sink.trace !== undefined && (traced || raised.length > 0)) sink.trace(callback, tracesOf(callback, view), view);
      if (raised.length > 0) raised.length = 0;
      for (let i = 0; i < calledCount; i++) (called[i] as CallProfile).tally.called();
      calledCount = 0;
      if (skipped.length > 0) for (const { profile, reason } of skipped.splice(0)) profile.tally.skipped(reason);
      if (failed.length > 0) {
        for (const { script, reason, message } of failed) {
          if (script !== undefined) scripts.profileOf(script, callback).tally.failed(reason);
          sink.error(script === undefined ? '' : keyOf(script), callback, message, view);
        }
        failed = [];
      }
      if (switchings.length > 0) for (const [script, on, reason] of switchings.splice(0)) sink.switched(script, on, reason, view, callback);
      current = undefined;
    },
  };
}
