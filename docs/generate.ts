/**
 * Writes what is made from declarations in the code: pages of docs/reference, and types/.
 *
 *   node docs/generate.ts           writes it
 *   node docs/generate.ts --check   writes nothing; exit status 1 when something is stale
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { optionsReference } from '../src/cli/help.ts';
import { COUNTERS } from '../src/flows/counters.ts';
import { luaInfo } from '../src/flows/derived/lua.ts';
import { fieldsReference } from '../src/flows/derived/reference.ts';
import { flowSchema } from '../src/flows/derived/schema.ts';
import { typescriptInfo } from '../src/flows/derived/typescript.ts';
import { DECLARED, FIELDS } from '../src/flows/fields.ts';
import { PREFERENCES } from '../src/preferences.ts';
import { PRIORITY, STATUSES, type Status, statusById } from '../src/flows/statuses.ts';
import { luaStubs, settings } from '../src/scripts/lua/library/stubs.ts';
import { flowpatrolTypes } from '../src/scripts/typescript/types.ts';
import { examplePages } from './examples.ts';

const MADE = '<!-- Made by `node docs/generate.ts`. Do not edit. -->';

const cell = (text: string): string => text.replaceAll('|', '\\|');
const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), `|${'---|'.repeat(head.length)}`, ...rows.map(row)].join('\n');

const alert = (status: Status): string => {
  if (status.alertType === '' || status.alert === false) return 'none';
  if (status.alert === true) return `\`${status.alertType}\`, always`;
  return `\`${status.alertType}\`, preference \`${status.alert}\` (${PREFERENCES[status.alert].default ? 'on' : 'off'})`;
};

const toldBy = (status: Status): string =>
  status.condition === undefined ? 'nothing' : status.packetsOnly === true ? 'packets' : 'packets, records';

function statuses(): string {
  const order = PRIORITY.map((id) => `${id} ${(statusById.get(id) as Status).title}`);
  return `# The statuses of a flow

${MADE}

A status is a bit of \`status_map\`; the bit is the status id. \`flow.status\` is the strongest status that is set, or 0. Scripts of
2019 and of TypeScript, exports, filters and the programming interface have these ids. Scripts of 4.x have those of *Id in 4.x*, also as bits
of their bitmaps; without one, or in 4.0 with one that only 4.2 has, a status does not exist for them. *Told by* says which kinds of
interfaces can tell it.

${table(
  ['Id', 'Id in 4.x', 'Name', 'Title', 'Meaning', 'Severity', 'Alert of the core', 'Told by'],
  STATUSES.map((status) => [
    String(status.id),
    status.id42 === undefined ? String(status.id4 ?? '') : `${status.id42} (4.2)`,
    `\`${status.name}\``,
    status.title,
    status.meaning,
    status.severity,
    alert(status),
    toldBy(status),
  ]),
)}

Strongest first: ${order.join(', ')}.
`;
}

function counters(): string {
  const rows = COUNTERS.map(({ name, help, loss }) => `| \`${name}\` | ${help} | ${loss ? 'yes' : ''} |`);
  return [
    '# Counters',
    '',
    'Per interface, from the start of the program. What is marked as a loss came and was not used: the summary lists it when it is',
    'above zero. `packets` = `decoded` + what is skipped (`non-ip`, `unsupported-link`, `wifi-*`) + `malformed.*`.',
    '',
    '| Counter | Counts | Loss |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

const stubs = Object.keys(luaStubs()).map((name): [path: string, make: () => string] => [`types/lua/${name}`, () => luaStubs()[name] as string]);

/** Path from the project's root → text. */
export const OUTPUTS: Readonly<Record<string, () => string>> = {
  ...examplePages(MADE),
  'docs/reference/counters.md': counters,
  'docs/reference/flow-info.md': () => fieldsReference(DECLARED, MADE),
  'docs/reference/flow.schema.json': () => flowSchema(FIELDS),
  'docs/reference/options.md': optionsReference,
  'docs/reference/statuses.md': statuses,
  'scripts/.luarc.json': () => settings('../types'),
  'types/flowpatrol.d.ts': flowpatrolTypes,
  'types/info.d.ts': () => typescriptInfo(FIELDS),
  'types/info.lua': () => luaInfo(FIELDS),
  ...Object.fromEntries(stubs),
};

const place = (path: string): URL => new URL(`../${path}`, import.meta.url);

function current(path: string): string {
  try {
    return readFileSync(place(path), 'utf8');
  } catch {
    return '';
  }
}

/** Outputs whose file is not what the code says. */
export const staleOutputs = (): string[] => Object.entries(OUTPUTS).flatMap(([path, make]) => (current(path) === make() ? [] : [path]));

if (import.meta.main) {
  const stale = staleOutputs();
  if (process.argv.includes('--check')) {
    for (const path of stale) console.error(`${path} is stale: run node docs/generate.ts`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    for (const path of stale) {
      mkdirSync(new URL('.', place(path)), { recursive: true });
      writeFileSync(place(path), (OUTPUTS[path] as () => string)());
    }
  }
}
