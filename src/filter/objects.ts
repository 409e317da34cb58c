/**
 * Flows that are plain objects: rows of the history, flows of alerts. Names of the language in, what can be asked of such a flow out.
 * Called by src/store/row-filter.ts and src/alerts/filter.ts. What is said of an object is what compile.ts says of the event that it was
 * made of.
 */
import type { FieldTable, FieldValue } from '../flows/fields.ts';
import type { EventView, Names } from '../flows/view.ts';
import { parseIPv4, parseIPv6 } from '../hosts/prefixes.ts';
import { parseMac } from './literals.ts';
import { BREED, CATEGORY, L4, PROTOCOL, RISK } from './names.ts';
import { KINDS, type Naming, type Read, type Test, type Value } from './operands.ts';
import { asked } from './predicates.ts';
import { namedBy, type Source } from './sources.ts';
import { textTest } from './texts.ts';
import type { Asked, Term } from './walk.ts';
import type { Wanted } from './wanted.ts';

/** Keys of FIELDS, and what the flow has of them. */
export type FlowObject = Readonly<Record<string, FieldValue>>;

/** What numbers stand for is in the texts of an object already. */
export const NO_NAMES: Names = {
  protocols: [],
  categories: [],
  breeds: [],
  risks: [],
  confidences: [],
  details: [],
  localNetworks: [],
  interfaceName: '',
  run: '',
  packetInterface: false,
  sampled: false,
};

const textOf = (flow: FlowObject, key: string): string => (typeof flow[key] === 'string' ? flow[key] : '');
const given = (texts: readonly string[]): string[] => texts.filter((text) => text !== '');

/** `TLS.Google` has the names of both halves too. */
function protocolLabels(flow: FlowObject): string[] {
  const [whole, app] = [textOf(flow, 'proto.ndpi'), textOf(flow, 'proto.ndpi_app')];
  return app !== '' && whole.endsWith(`.${app}`) ? given([whole, app, whole.slice(0, -app.length - 1)]) : given([whole]);
}

/** Values that have names: the object has the names, not the numbers. */
const LABELS = new Map<Naming, (flow: FlowObject) => readonly string[]>([
  [PROTOCOL, protocolLabels],
  [L4, (flow) => given([textOf(flow, 'proto.l4'), String(flow['proto.l4_id'] ?? '')])],
  [CATEGORY, (flow) => given([textOf(flow, 'proto.ndpi_cat')])],
  [BREED, (flow) => given([textOf(flow, 'proto.ndpi_breed')])],
]);

/** 32-bit words as a view has them: IPv4 as a number, IPv6 as they lie in memory. */
function wordOf(address: FieldValue | undefined, index: number): number {
  if (typeof address !== 'string' || address === '') return 0;
  return address.includes(':') ? new DataView(parseIPv6(address).buffer).getUint32(index * 4, true) : parseIPv4(address);
}

function valueAt(flow: FlowObject, { key, path }: Source): FieldValue | undefined {
  let value: FieldValue | undefined = flow[key];
  for (const member of path) {
    if (typeof value !== 'object' || !Object.hasOwn(value, member)) return undefined;
    value = (value as FieldTable)[member];
  }
  return value;
}

/**
 * Several texts, of which one is enough.
 * @param texts of what is asked; `isWhole` where they must be equal, not contain something
 */
export const askedTexts = (
  texts: (isWhole: boolean) => readonly string[],
  testOf: (wanted: Wanted) => (text: string) => boolean = textTest,
): Asked<Test> => ({
  compare(wanted) {
    const test = testOf(wanted);
    const isWhole = wanted.op === '==';
    return () => texts(isWhole).some(test);
  },
  there: () => texts(false).length > 0,
  holds: () => texts(false).some((text) => text !== ''),
});

/** All that the tests of values ask of a view beside their readers. @param current the flow that is asked */
export const objectView = (current: () => FlowObject): EventView =>
  ({ isIpv6: () => String(current()['cli.ip']).includes(':') }) as EventView;

/** The same value, read from the object. */
function askedOf(value: Value, source: Source, current: () => FlowObject): Asked<Test> {
  const read = (): FieldValue | undefined => valueAt(current(), source);
  switch (value.kind) {
    case 'address':
      return asked({ kind: 'address', word: (_, index) => wordOf(read(), index) }, NO_NAMES);
    case 'mac':
      return asked({ kind: 'mac', text: read as Read<string>, read: () => parseMac(String(read())) }, NO_NAMES);
    case 'name': {
      const labels = LABELS.get(value.naming);
      if (labels === undefined) throw new Error(`the names of ${source.key} are in no object`);
      return askedTexts(() => labels(current()));
    }
    case 'bits': {
      if (value.bits === RISK) {
        const risks = (): FieldTable => (read() ?? {}) as FieldTable;
        return askedTexts((isWhole) => [...Object.keys(risks()), ...(isWhole ? Object.values(risks()).map(String) : [])]);
      }
      const map = (): number => Number(read() ?? 0);
      const bits = { ...value.bits, low: () => map() >>> 0, high: () => Math.floor(map() / 2 ** 32) >>> 0 };
      return asked({ kind: 'bits', bits }, NO_NAMES);
    }
    default:
      return asked({ ...value, read: read as Read<never> }, NO_NAMES);
  }
}

export interface ObjectTerm extends Term<Test> {
  /** Keys that it reads. */
  readonly keys: readonly string[];
}

/**
 * @param current the flow that is asked
 * @returns undefined for a name that nothing has. Its tests take {@link objectView} of `current`
 */
export function objectTerm(name: string, current: () => FlowObject): ObjectTerm | undefined {
  const named = namedBy(name);
  if (named === undefined) return undefined;
  const { operand, sources } = named;
  const [first, ...others] = operand.values.map((value, i) => askedOf(value, sources[i] as Source, current));
  return { ...KINDS[operand.values[0].kind], keys: operand.keys, values: [first as Asked<Test>, ...others] };
}
