/**
 * The columns of the tables of flows and alerts: what the store itself needs, then one for each field of a flow.
 *
 *   FIELDS ──src/flows/derived/columns.ts──► columns of fields ──► CREATE TABLE, chunks.ts (writing), rows.ts (reading)
 *
 * The store's own begin with `_`, which no field does. Every column may be NULL: entries may be older than a field.
 */
import { databaseColumns } from '../../flows/derived/columns.ts';
import { FIELDS } from '../../flows/fields.ts';
import { parseIPv4, parseIPv6 } from '../../hosts/prefixes.ts';

export type ColumnType = 'BIGINT' | 'DOUBLE' | 'BOOLEAN' | 'VARCHAR' | 'JSON';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** Of the field. */
  readonly key?: string;
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const own = (type: ColumnType, ...names: readonly string[]): Column[] => names.map((name) => ({ name, type }));

export const FIELD_COLUMNS: readonly Column[] = databaseColumns(FIELDS).map(({ name, type, field }) => ({ name, type, key: field.key }));

/** Addresses by which networks and orders are asked; what no column takes. */
const OF_FLOW: readonly Column[] = [...own('VARCHAR', '_client', '_server'), ...own('JSON', '_rest'), ...FIELD_COLUMNS];

export const FLOW_COLUMNS: readonly Column[] = [
  ...own('BIGINT', '_time', '_stored'),
  ...own('VARCHAR', '_interface'),
  ...own('BOOLEAN', '_ended'),
  ...OF_FLOW,
];

/** Members of an alert that lists sort by or filters ask; `_alert` is the whole as JSON. */
export const ALERT_COLUMNS: readonly Column[] = [
  ...own('VARCHAR', '_id', '_interface', '_type', '_severity', '_script', '_version', '_callback', '_title', '_description', '_state'),
  ...own('VARCHAR', '_by', '_comment'),
  ...own('BIGINT', '_stored', '_rank', '_time', '_first', '_last', '_score', '_count', '_bytes', '_packets', '_changed'),
  ...own('BOOLEAN', '_shadow', '_secondary'),
  ...own('VARCHAR', '_alert'),
  ...OF_FLOW,
];

const nameByKey = new Map(FIELD_COLUMNS.map(({ key, name }) => [key, quoted(name)]));

/** @param key of FIELDS */
export function columnOf(key: string): string {
  const name = nameByKey.get(key);
  if (name === undefined) throw new Error(`there is no column for ${key}`);
  return name;
}

export const columnList = (columns: readonly Column[]): string => columns.map(({ name }) => quoted(name)).join(', ');

export const columnTypes = (columns: readonly Column[]): string => columns.map(({ name, type }) => `${quoted(name)} ${type}`).join(', ');

const hex = (word: number): string => word.toString(16).padStart(8, '0');

/** IPv4 (one word) before IPv6 (four), each by its bytes: texts that sort as the addresses do. */
export const addressText = (words: readonly number[]): string => (words.length === 1 ? '4' : '6') + words.map(hex).join('');

/** @returns undefined for a text that is no address */
export function addressKey(address: unknown): string | undefined {
  if (typeof address !== 'string') return undefined;
  if (!address.includes(':')) return /^\d{1,3}(\.\d{1,3}){3}$/.test(address) ? addressText([parseIPv4(address)]) : undefined;
  const data = new DataView(parseIPv6(address).buffer);
  return addressText([0, 4, 8, 12].map((at) => data.getUint32(at)));
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** The same of an address in an event: network order, 4 or 16 bytes. */
export function eventAddress(bytes: Uint8Array, at: number, ipv6: boolean): string {
  let text = ipv6 ? '6' : '4';
  for (let i = 0; i < (ipv6 ? 16 : 4); i++) text += HEX[bytes[at + i] as number];
  return text;
}
