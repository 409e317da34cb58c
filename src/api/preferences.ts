/** GET /preferences, GET /preferences/NAME; PUT /preferences/NAME `{"value": …}` stores a value, DELETE takes the stored one away. */
import { type Context, Hono } from 'hono';
import { nearest } from '../nearest.ts';
import { isPreference, PREFERENCE_NAMES, PreferenceError, type PreferenceName } from '../preferences.ts';
import type { PreferenceState } from '../store/preferences.ts';
import type { ApiDependencies } from './dependencies.ts';
import { Problem } from './problems.ts';

function named(c: Context): PreferenceName {
  const name = c.req.param('name') ?? '';
  if (isPreference(name)) return name;
  const near = nearest(name, PREFERENCE_NAMES);
  throw new Problem('unknown-preference', `There is no preference '${name}'.`, near === undefined ? {} : { hint: `did you mean ${near}?` });
}

async function wantedValue(c: Context): Promise<string | number | boolean> {
  const body: unknown = await c.req.json().catch(() => undefined);
  const value: unknown = typeof body === 'object' && body !== null && 'value' in body ? body.value : undefined;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  throw new Problem('wrong-body', 'The body is no JSON object with a "value".', { hint: 'for example {"value": 10}' });
}

export function preferencesApi({ preferences }: ApiDependencies): Hono {
  /** A change is either in force and stored, or there is a problem. */
  function change(apply: () => PreferenceState): PreferenceState {
    try {
      return apply();
    } catch (error) {
      if (error instanceof PreferenceError) throw new Problem('wrong-value', error.message);
      throw new Problem('not-stored', (error as Error).message);
    }
  }

  return new Hono()
    .get('/', (c) => c.json({ preferences: preferences.states() }))
    .get('/:name', (c) => c.json(preferences.state(named(c))))
    .put('/:name', async (c) => {
      const name = named(c);
      const value = await wantedValue(c);
      return c.json(change(() => preferences.set(name, value)));
    })
    .delete('/:name', (c) => {
      const name = named(c);
      return c.json(change(() => preferences.reset(name)));
    });
}
