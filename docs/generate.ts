/**
 * Writes the pages of docs/reference that are made from declarations in the code.
 *
 *   node docs/generate.ts           writes them
 *   node docs/generate.ts --check   writes nothing; exit status 1 when a page is stale
 */
import { optionsReference } from '../src/cli/help.ts';
import { COUNTERS } from '../src/flows/counters.ts';
import { readFileSync, writeFileSync } from 'node:fs';
import { FIELDS, type Field, type FieldGroup } from '../src/flows/fields.ts';
import { PRIORITY, STATUSES, type Status, statusById } from '../src/flows/statuses.ts';

const MADE = '<!-- Made by `node docs/generate.ts`. Do not edit. -->';

const TITLES: Readonly<Record<FieldGroup, string>> = {
  endpoints: 'Endpoints',
  state: 'Identity, time, statuses',
  protocols: 'Protocols',
  traffic: 'Traffic',
  tcp: 'TCP',
  application: 'Application layer',
};

const cell = (text: string): string => text.replaceAll('|', '\\|');
const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), `|${'---|'.repeat(head.length)}`, ...rows.map(row)].join('\n');

const fieldRow = (field: Field): string[] => [
  `\`${field.key}\`${field.ours === true ? ' ⁺' : ''}`,
  field.type,
  field.unit ?? '',
  field.doc,
  field.when ?? 'always',
];

function flowInfo(): string {
  const groups = (Object.keys(TITLES) as FieldGroup[]).map(
    (name) =>
      `## ${TITLES[name]}\n\n${table(
        ['Key', 'Type', 'Unit', 'Meaning', 'Present'],
        FIELDS.filter((field) => field.group === name).map(fieldRow),
      )}\n`,
  );
  return `# The fields of a flow

${MADE}

A callback gets these as \`info\`; the JSON lines of flows and events have the same keys. A dot is a part of the key:
\`info["cli.ip"]\`. Where a value is not present, the key is absent. \`⁺\` marks keys that ntopng does not have.

In Lua, \`int\` is an integer and \`float\` a float; strings are bytes as they were seen on the wire.

${groups.join('\n')}`;
}

const alert = (status: Status): string => {
  if (status.alertType === '') return 'none';
  const preference = status.preference === '' ? '' : `, preference \`${status.preference}\` (${status.default ? 'on' : 'off'})`;
  return `\`${status.alertType}\`${preference}`;
};

function statuses(): string {
  const order = PRIORITY.map((id) => `${id} ${(statusById.get(id) as Status).title}`);
  return `# The statuses of a flow

${MADE}

A status is a bit of \`status_map\`; the bit is the status id. \`flow.status\` is the strongest status that is set, or 0.

${table(
  ['Id', 'Name', 'Title', 'Meaning', 'Severity', 'Alert'],
  STATUSES.map((status) => [String(status.id), `\`${status.name}\``, status.title, status.meaning, status.severity, alert(status)]),
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

/** Path below docs/reference → text. */
export const PAGES: Readonly<Record<string, () => string>> = {
  'counters.md': counters,
  'flow-info.md': flowInfo,
  'options.md': optionsReference,
  'statuses.md': statuses,
};

const place = (page: string): URL => new URL(`reference/${page}`, import.meta.url);

function current(page: string): string {
  try {
    return readFileSync(place(page), 'utf8');
  } catch {
    return '';
  }
}

/** Pages whose file is not what the code says. */
export const stalePages = (): string[] => Object.entries(PAGES).flatMap(([page, make]) => (current(page) === make() ? [] : [page]));

if (import.meta.main) {
  const stale = stalePages();
  if (process.argv.includes('--check')) {
    for (const page of stale) console.error(`docs/reference/${page} is stale: run node docs/generate.ts`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    for (const page of stale) writeFileSync(place(page), (PAGES[page] as () => string)());
  }
}
