/**
 * The preferences of a run, and where each value comes from: the command line wins over what is stored, that over the default.
 *
 * Enters: the settings store, what the command line says. Leaves: the values in force, and a description of each preference. Called
 * by the programming interface, and by `flowpatrol prefs` where nothing runs.
 */
import { PREFERENCE_NAMES, PREFERENCES, type Preference, type PreferenceName, type Preferences, preferenceValue } from '../preferences.ts';
import type { Settings } from './settings.ts';

type Value = boolean | number | string;

export type PreferenceOrigin = 'default' | 'stored' | 'command line';

export interface PreferenceState {
  readonly name: PreferenceName;
  readonly group: Preference['group'];
  readonly type: Preference['type'];
  /** The one in force. */
  readonly value: Value;
  readonly origin: PreferenceOrigin;
  /** Also where the command line wins over it for this run. */
  readonly stored?: Value;
  readonly default: Value;
  /** Of a number, both included. */
  readonly range?: { readonly from: number; readonly to: number };
  readonly unit?: string;
  readonly doc: string;
}

export interface PreferenceBook {
  /** In the order of their declaration. */
  states(): PreferenceState[];
  state(name: PreferenceName): PreferenceState;
  /**
   * Stores it; from then on it is in force, unless the command line says something else.
   * @throws PreferenceError
   */
  set(name: PreferenceName, given: Value): PreferenceState;
  reset(name: PreferenceName): PreferenceState;
  /** What is not the default. */
  values(): Partial<Preferences>;
}

export interface PreferenceBookOptions {
  readonly settings: Settings;
  readonly commandLine: Partial<Preferences>;
  /** Takes values that have changed. */
  readonly changed?: (values: Partial<Preferences>) => void;
}

export function createPreferenceBook({ settings, commandLine, changed = () => {} }: PreferenceBookOptions): PreferenceBook {
  const stored: Partial<Record<PreferenceName, Value>> = settings.preferences();

  function state(name: PreferenceName): PreferenceState {
    const declared: Preference = PREFERENCES[name];
    const given: Value | undefined = commandLine[name];
    const kept = stored[name];
    return {
      name,
      group: declared.group,
      type: declared.type,
      value: given ?? kept ?? declared.default,
      origin: given !== undefined ? 'command line' : kept !== undefined ? 'stored' : 'default',
      ...(kept === undefined ? {} : { stored: kept }),
      default: declared.default,
      ...(declared.type === 'int' ? { range: { from: declared.from, to: declared.to }, unit: declared.unit } : {}),
      doc: declared.doc,
    };
  }

  function put(name: PreferenceName, value: Value | undefined): PreferenceState {
    const before = state(name).value;
    if (value === undefined) {
      settings.resetPreference(name);
      delete stored[name];
    } else {
      settings.setPreference(name, value);
      stored[name] = value;
    }
    const after = state(name);
    if (after.value !== before) changed({ [name]: after.value });
    return after;
  }

  return {
    states: () => PREFERENCE_NAMES.map(state),
    state,
    set: (name, given) => put(name, preferenceValue(name, given)),
    reset: (name) => put(name, undefined),
    values: () => ({ ...(stored as Partial<Preferences>), ...commandLine }),
  };
}
