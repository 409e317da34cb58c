/** What may change while a flow engine runs: preferences, lists, device types. It takes effect at the next visit. */
import { type Devices, NO_DEVICES } from '../hosts/devices.ts';
import { EMPTY_LISTS, type Lists } from '../hosts/lists/lookup.ts';
import { DEFAULT_PREFERENCES, type Preferences } from '../preferences.ts';

export interface Policy {
  readonly preferences: Preferences;
  readonly lists: Lists;
  readonly devices: Devices;
}

export const DEFAULT_POLICY: Policy = { preferences: DEFAULT_PREFERENCES, lists: EMPTY_LISTS, devices: NO_DEVICES };
