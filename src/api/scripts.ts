/**
 * Scripts of each interface.
 *
 *   GET /scripts                 state, version, errors, profile; one entry per script and interface
 *   GET /scripts/KEY             the same of one script, with its source
 *   PUT /scripts/KEY/switch      {"state": "on" | "off" | "shadow", "interface"?: name}: without an interface, for all
 */
import { type Context, Hono } from 'hono';
import { nearest } from '../nearest.ts';
import type { ScriptSnapshot } from '../patrol-types.ts';
import { isScriptSwitch, SCRIPT_SWITCHES } from '../store/script-switches.ts';
import type { ApiDependencies } from './dependencies.ts';
import { Problem } from './problems.ts';

const meant = (word: string, words: readonly string[]): { hint?: string } => {
  const near = nearest(word, words);
  return near === undefined ? {} : { hint: `did you mean ${near}?` };
};

export function scriptsApi({ snapshot, scripts }: ApiDependencies): Hono {
  function named(c: Context): ScriptSnapshot[] {
    const key = c.req.param('key') ?? '';
    const all = snapshot().scripts;
    const found = all.filter((script) => script.key === key);
    if (found.length > 0) return found;
    throw new Problem(
      'unknown-script',
      `There is no script with the key '${key}'.`,
      meant(
        key,
        all.map((script) => script.key),
      ),
    );
  }

  return new Hono()
    .get('/', (c) => c.json({ scripts: snapshot().scripts }))
    .get('/:key', (c) => {
      const found = named(c);
      return c.json({ scripts: found, source: scripts.source(found[0]?.path ?? '') ?? null });
    })
    .put('/:key/switch', async (c) => {
      const [first] = named(c);
      const body: unknown = await c.req.json().catch(() => undefined);
      const { state, interface: name } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
      if (!isScriptSwitch(state)) {
        throw new Problem('wrong-body', `The body is no JSON object with a "state" of ${SCRIPT_SWITCHES.join(', ')}.`, {
          hint: 'for example {"state": "off"}',
        });
      }
      const names = snapshot().interfaces.map((each) => each.name);
      if (name !== undefined && (typeof name !== 'string' || !names.includes(name))) {
        throw new Problem('unknown-interface', `There is no interface '${String(name)}'.`, meant(String(name), names));
      }
      const key = first?.key ?? '';
      try {
        scripts.switch(name, key, state);
      } catch (error) {
        throw new Problem('not-stored', (error as Error).message);
      }
      return c.json({ key, state, ...(name === undefined ? {} : { interface: name }) });
    });
}
