/** What may be changed while flowpatrol runs. PUT stores a value, DELETE takes the stored one away. */
import { Type } from '@sinclair/typebox';
import { isPreference, PREFERENCE_NAMES, PreferenceError, type PreferenceName } from '../preferences.ts';
import type { PreferenceState } from '../store/preferences.ts';
import { meant } from './checks.ts';
import type { ApiDependencies } from './dependencies.ts';
import { Problem } from './problems.ts';
import { object, oneOf, type Route, route } from './route.ts';

const Value = Type.Union([Type.Boolean(), Type.Number(), Type.String({ maxLength: 32_768 })]);

const PreferenceSchema = object({
  name: Type.String(),
  group: Type.String(),
  type: oneOf(['bool', 'int', 'addresses'] as const),
  value: Value,
  origin: oneOf(['default', 'stored', 'command line'] as const),
  stored: Type.Optional(Value),
  default: Value,
  range: Type.Optional(object({ from: Type.Number(), to: Type.Number() })),
  unit: Type.Optional(Type.String()),
  doc: Type.String(),
});

function named(name: string): PreferenceName {
  if (isPreference(name)) return name;
  throw new Problem('unknown-preference', `There is no preference '${name}'.`, meant(name, PREFERENCE_NAMES));
}

export function preferencesRoutes({ preferences }: ApiDependencies): Route[] {
  /** A change is either in force and stored, or there is a problem. */
  function change(apply: () => PreferenceState): PreferenceState {
    try {
      return apply();
    } catch (error) {
      if (error instanceof PreferenceError) throw new Problem('wrong-value', error.message);
      throw new Problem('not-stored', (error as Error).message);
    }
  }

  const common = { path: '/preferences/{name}', tag: 'preferences', answer: PreferenceSchema } as const;
  return [
    route({
      method: 'get',
      path: '/preferences',
      role: 'viewer',
      tag: 'preferences',
      summary: 'All preferences, each with its range and where its value comes from',
      answer: object({ preferences: Type.Array(PreferenceSchema) }),
      handle: () => ({ preferences: preferences.states() }),
    }),
    route({
      ...common,
      method: 'get',
      role: 'viewer',
      summary: 'One preference',
      problems: ['unknown-preference'],
      handle: ({ param }) => preferences.state(named(param('name'))),
    }),
    route({
      ...common,
      method: 'put',
      role: 'admin',
      summary: 'Stores a value; it is in force from the next visit on',
      problems: ['unknown-preference', 'wrong-value', 'not-stored'],
      body: object({ value: Value }, { examples: [{ value: 10 }] }),
      handle({ param, body: { value } }) {
        const name = named(param('name'));
        return change(() => preferences.set(name, value));
      },
    }),
    route({
      ...common,
      method: 'delete',
      role: 'admin',
      summary: 'Takes the stored value away: the default is in force',
      problems: ['unknown-preference', 'not-stored'],
      handle({ param }) {
        const name = named(param('name'));
        return change(() => preferences.reset(name));
      },
    }),
  ];
}
