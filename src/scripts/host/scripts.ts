/** The scripts of a host: files over all their versions, with the users' switches. Called by the other parts of the host (host.ts). */
import type { Callback } from '../../flows/event.ts';
import type { Field } from '../../flows/fields.ts';
import type { Breaker } from '../breaker.ts';
import { CallProfile } from '../profile.ts';
import type { ScriptState, ScriptSwitch } from '../report.ts';
import type { Definition, Language, Runtime, ScriptVersion } from '../runtime.ts';
import { Tally } from '../tally.ts';

export interface Loaded {
  readonly number: number;
  readonly version: ScriptVersion;
  readonly definition: Definition;
  readonly runtime: Runtime;
  readonly reads: readonly Field[];
  readonly feedsBack: boolean;
}

/** A file with a script, over all its versions. */
export interface Script {
  readonly path: string;
  readonly file: string;
  language: Language;
  loaded: Loaded | undefined;
  /** Why its newest version is not loaded, and that version; tried again when another script leaves its key. */
  error: string | undefined;
  refused: ScriptVersion | undefined;
  readonly profiles: Map<Callback, CallProfile>;
  readonly breaker: Breaker;
  lastError: string | undefined;
  lastStack: string | undefined;
  /** Bytes that its measured calls took. */
  grown: number;
  excluded: boolean;
  /** Time of its calls when parts of the time were compared last, µs. */
  usedBefore: number;
  greedy: boolean;
}

export interface ScriptSet {
  /** By path. */
  readonly all: Map<string, Script>;
  /** By the numbers of their versions, also of one that is being loaded. */
  readonly numbered: Map<number, Script>;
  /** In calling order. */
  ordered(): Script[];
  /** Those that are called. */
  called(): Script[];
  isCalled(script: Script): boolean;
  stateOf(script: Script): ScriptState;
  switchOf(script: Script): ScriptSwitch;
  switch(key: string, to: ScriptSwitch): void;
  profileOf(script: Script, callback: Callback): CallProfile;
}

const byOrder = (a: Script, b: Script): number =>
  (b.loaded?.definition.prio ?? 0) - (a.loaded?.definition.prio ?? 0) ||
  (a.file < b.file ? -1 : a.file > b.file ? 1 : a.path < b.path ? -1 : a.path > b.path ? 1 : 0);

export const keyOf = (script: Script): string => script.loaded?.definition.key ?? script.file;

/** Estimated time of all its calls, µs. */
export const usedUs = (script: Script): number => [...script.profiles.values()].reduce((sum, profile) => sum + profile.totalUs(), 0);

/** @param packets the interface sees packets. @param tally where calls are counted, by the path of the script's file */
export function createScriptSet(packets: boolean, tally: ((path: string, callback: Callback) => Tally) | undefined): ScriptSet {
  const all = new Map<string, Script>();
  const switches = new Map<string, ScriptSwitch>();
  const switchOf = (script: Script): ScriptSwitch => switches.get(keyOf(script)) ?? 'on';

  function stateOf(script: Script): ScriptState {
    if (script.loaded === undefined) return 'error';
    if (!script.loaded.definition.enabled) return 'off by setup';
    if (script.loaded.definition.filter.packetInterface === true && !packets) return 'not applicable';
    const to = switchOf(script);
    if (to === 'off') return 'off';
    return script.breaker.broken === undefined ? to : 'broken';
  }

  const isCalled = (script: Script): boolean => {
    const state = stateOf(script);
    return (state === 'on' || state === 'shadow' || state === 'broken') && !script.excluded;
  };

  return {
    all,
    numbered: new Map(),
    ordered: () => [...all.values()].sort(byOrder),
    called: () => [...all.values()].filter(isCalled),
    isCalled,
    stateOf,
    switchOf,
    switch(key, to) {
      if (to === 'on') switches.delete(key);
      else switches.set(key, to);
      for (const script of all.values()) if (keyOf(script) === key && to !== 'off') script.breaker.reset();
    },
    profileOf(script, callback) {
      let profile = script.profiles.get(callback);
      if (profile === undefined) {
        profile = new CallProfile(tally?.(script.path, callback) ?? new Tally());
        script.profiles.set(callback, profile);
      }
      return profile;
    },
  };
}
