/** The history in memory: the contract, and its bounds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryHistory } from '../../src/store/memory-history.ts';
import { NAMES_OF_FLOWS } from '../filter/flows.ts';
import { alertOf, ENTRIES, everything, idOf, START } from './history-data.ts';
import { historySuite } from './history-suite.ts';

historySuite('memory', async (clock) => createMemoryHistory({ clock, names: NAMES_OF_FLOWS }));

test('a full history loses its oldest entries, and counts them', async () => {
  const history = createMemoryHistory({ mostFlows: 3, mostAlerts: 1, mostPoints: 2 });
  await history.appendFlows(ENTRIES);
  await history.putAlerts([alertOf('a'), alertOf('b')]);
  await history.appendSeries([1, 2, 3].map((value) => ({ time: START, interface: 'x', name: 'flows', value })));
  assert.deepEqual((await history.flows(everything)).rows.map(idOf), ['k3x9-0-4', 'k3x9-0-5', 'k3x9-0-6']);
  assert.equal(await history.alert('a'), undefined);
  assert.deepEqual(history.figures(), { flowsDropped: 3, alertsDropped: 1, pointsDropped: 1 });
});
