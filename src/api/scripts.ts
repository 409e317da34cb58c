/** The custom scripts of each interface: state, version, errors, profile, source, and the users' switches. */
import { Type } from '@sinclair/typebox';
import type { ScriptSnapshot } from '../patrol-types.ts';
import { meant } from './checks.ts';
import type { ApiDependencies } from './dependencies.ts';
import { Problem } from './problems.ts';
import { object, type Route, route } from './route.ts';
import { ScriptSchema, SwitchSchema } from './schemas.ts';

export function scriptsRoutes({ snapshot, scripts }: ApiDependencies): Route[] {
  function named(key: string): ScriptSnapshot[] {
    const all = snapshot().scripts;
    const found = all.filter((script) => script.key === key);
    if (found.length > 0) return found;
    const keys = all.map((script) => script.key);
    throw new Problem('unknown-script', `There is no script with the key '${key}'.`, meant(key, keys));
  }

  return [
    route({
      method: 'get',
      path: '/scripts',
      role: 'viewer',
      tag: 'scripts',
      summary: 'All scripts: state, version, errors, profile; one entry per script and interface',
      answer: object({ scripts: Type.Array(ScriptSchema) }),
      handle: () => ({ scripts: snapshot().scripts }),
    }),
    route({
      method: 'get',
      path: '/scripts/{key}',
      role: 'viewer',
      tag: 'scripts',
      summary: 'One script, with its source',
      problems: ['unknown-script'],
      answer: object({ scripts: Type.Array(ScriptSchema), source: Type.Union([Type.String(), Type.Null()]) }),
      handle({ param }) {
        const found = named(param('key'));
        return { scripts: found, source: scripts.source(found[0]?.path ?? '') ?? null };
      },
    }),
    route({
      method: 'put',
      path: '/scripts/{key}/switch',
      role: 'operator',
      tag: 'scripts',
      summary: 'Switches a script on, off, or into shadow',
      doc: 'Without an interface: for all of them. In shadow its alerts are recorded and told to nobody.',
      problems: ['unknown-script', 'unknown-interface', 'not-stored'],
      body: object({ state: SwitchSchema, interface: Type.Optional(Type.String()) }, { examples: [{ state: 'off' }] }),
      answer: object({ key: Type.String(), state: SwitchSchema, interface: Type.Optional(Type.String()) }),
      handle({ param, body: { state, interface: name } }) {
        const key = named(param('key'))[0]?.key ?? '';
        const names = snapshot().interfaces.map((each) => each.name);
        if (name !== undefined && !names.includes(name)) {
          throw new Problem('unknown-interface', `There is no interface '${name}'.`, meant(name, names));
        }
        try {
          scripts.switch(name, key, state);
        } catch (error) {
          throw new Problem('not-stored', (error as Error).message);
        }
        return { key, state, ...(name === undefined ? {} : { interface: name }) };
      },
    }),
  ];
}
