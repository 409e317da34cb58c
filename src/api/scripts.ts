/** The custom scripts of each interface: state, version, errors, profile, source, and the users' switches. */

import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Type } from '@sinclair/typebox';
import type { ScriptSnapshot } from '../patrol-types.ts';
import { limited, meant } from './checks.ts';
import type { ApiDependencies } from './dependencies.ts';
import { Problem } from './problems.ts';
import { object, type Route, route } from './route.ts';
import { ScriptSchema, StatsSchema, SwitchSchema, TestedAlertSchema } from './schemas.ts';

/** A capture that a script is tried on, bytes. */
const MOST_CAPTURE = 64 << 20;

export function scriptsRoutes({ snapshot, scripts, testScript }: ApiDependencies): Route[] {
  let testing = false;
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
    ...(testScript === undefined
      ? []
      : [
          route({
            method: 'post',
            path: '/scripts/{key}/test',
            role: 'operator',
            tag: 'scripts',
            summary: 'Runs a script on a capture: what it would raise',
            doc: `The body is the capture, at most ${MOST_CAPTURE >> 20} MiB. All callbacks are called; nothing of it is kept or told.`,
            problems: ['unknown-script', 'body-too-large', 'too-busy'],
            query: object({ name: Type.Optional(Type.String({ description: 'of the file', maxLength: 1000 })) }),
            consumes: 'application/octet-stream',
            answer: object({
              alerts: Type.Array(TestedAlertSchema),
              raised: Type.Integer({ description: 'also those that are not told: only the first are' }),
              lines: Type.Array(Type.String(), { description: 'what it printed, and its failures' }),
              stats: StatsSchema,
              error: Type.Optional(Type.String({ description: 'why the script could not be loaded, or the capture not be read' })),
              flows: Type.Integer(),
            }),
            async handle({ param, request }) {
              const { path } = named(param('key'))[0] as ScriptSnapshot;
              if (testing) throw new Problem('too-busy', 'Another script is being tested.', { retryAfter: 5 });
              testing = true;
              const folder = await mkdtemp(join(tmpdir(), 'flowpatrol-script-'));
              try {
                const file = join(folder, 'capture');
                await pipeline(Readable.from(limited(request, MOST_CAPTURE)), createWriteStream(file, { mode: 0o600 }));
                return await testScript(path, file);
              } finally {
                testing = false;
                await rm(folder, { recursive: true, force: true });
              }
            },
          }),
        ]),
  ];
}
