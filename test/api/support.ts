/** The dependencies of the programming interface over the flows of a real capture, as if they lived now. Called by tests. */
import type { ApiDependencies } from '../../src/api/dependencies.ts';
import { SOCKET_USER } from '../../src/api/roles.ts';
import { CALLBACK_BIT, E_CALLBACKS, E_LENGTH } from '../../src/flows/event.ts';
import { createHostAdder } from '../../src/flows/host-totals.ts';
import { answerOf, selectEvents } from '../../src/flows/selection.ts';
import { createEventView, type Names } from '../../src/flows/view.ts';
import type { InterfaceSnapshot, Log, PatrolControl, Snapshot } from '../../src/patrol-types.ts';
import type { Preferences } from '../../src/preferences.ts';
import { createPreferenceBook } from '../../src/store/preferences.ts';
import { openSettings } from '../../src/store/settings.ts';
import { CAPTURES } from '../support/golden.ts';
import { runCapture } from '../support/run-capture.ts';

export interface Flows {
  readonly names: Names;
  readonly events: readonly Uint8Array[];
}

/** The last event of every flow of a capture. */
export function flowsOf(capture: string): Flows {
  const events: Uint8Array[] = [];
  let names: Names | undefined;
  runCapture(`${CAPTURES}${capture}`, {}, (view) => {
    names = view.names;
    const bytes = view.bytes();
    if (((bytes[E_CALLBACKS] as number) & CALLBACK_BIT.idle) === 0) return;
    events.push(bytes.slice(0, new DataView(bytes.buffer).getUint32(E_LENGTH, true)));
  });
  if (names === undefined) throw new Error(`${capture} has no flows`);
  return { names, events };
}

export const queryOver =
  (interfaces: readonly Flows[]): PatrolControl['queryFlows'] =>
  async (query) =>
    interfaces
      .filter(({ names }) => query.interface === undefined || names.interfaceName === query.interface)
      .map(({ names, events }) => {
        const selection = selectEvents(query, names);
        const view = createEventView(names);
        for (const bytes of events) {
          view.set(bytes, 0);
          selection.offer(view);
        }
        return answerOf(selection, names);
      });

export const hostsOver =
  (interfaces: readonly Flows[]): PatrolControl['queryHosts'] =>
  async (query) =>
    (await queryOver(interfaces)(query)).map(({ events, names, ...answer }) => {
      const adder = createHostAdder();
      const view = createEventView(names);
      for (const bytes of events) {
        view.set(bytes, 0);
        adder.add(view);
      }
      return { ...answer, hosts: [adder.take()] };
    });

export const INTERFACE: InterfaceSnapshot = {
  id: 0,
  name: 'eth0',
  kind: 'packet',
  state: 'running',
  clock: 1e15,
  position: -1,
  size: -1,
  counters: { packets: 10, bytes: 2000, 'flows.created': 4, 'flows.active': 3, alerts: 1, 'drops.kernel': 2 },
  protocols: [{ name: 'DNS', flows: 1, packets: 2, bytes: 200 }],
  losses: [{ name: 'drops.kernel', help: 'packets the kernel dropped', value: 2 }],
};

export const SNAPSHOT: Snapshot = { interfaces: [INTERFACE], scripts: [], losses: [] };

export const QUIET: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export const asAdmin = () => SOCKET_USER;

export interface Wanted extends Partial<ApiDependencies> {
  readonly directory?: string;
  readonly commandLine?: Partial<Preferences>;
  readonly changed?: (values: Partial<Preferences>) => void;
}

export function dependencies({ directory, commandLine = {}, changed = () => {}, ...given }: Wanted = {}): ApiDependencies {
  return {
    version: '1.2.3',
    startedAt: Date.UTC(2024, 0, 1),
    uptime: () => 12.5,
    snapshot: () => SNAPSHOT,
    queryFlows: async () => [],
    queryHosts: async () => [],
    listStatus: () => [],
    scripts: { switch() {}, source: () => undefined, traceFilter() {}, tracedFilter: () => '', traces: () => [] },
    preferences: createPreferenceBook({ settings: openSettings(directory), commandLine, changed }),
    log: QUIET,
    ...given,
  };
}
