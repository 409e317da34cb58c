/**
 * The real flow engine and the model (model.ts) side by side: over random interfaces, and over the test captures.
 *
 * FLOWPATROL_SEED repeats a run, FLOWPATROL_LONG=1 takes far longer ones, FLOWPATROL_SHRINK=0 shows the first failure as it is.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { openFile } from '../../src/interfaces/pcap/source.ts';
import { createBatch, FRAME_WORDS } from '../../src/packet/batch.ts';
import { CAPTURES, captureNames } from '../support/golden.ts';
import { MODELLED } from './fields.ts';
import { type Action, runBeside } from './side-by-side.ts';
import { missingStatuses } from './statuses.ts';
import { crowd, type Scenario, scenario } from './traffic.ts';

const LONG = process.env.FLOWPATROL_LONG === '1';
const SEED = Number(process.env.FLOWPATROL_SEED ?? 20_190_912);

class Difference extends Error {}

/** Checks the property; a failure is told as people would tell it: seed, what differs, what happened. */
function holds(numRuns: number, property: fc.IProperty<[{ readonly story: readonly string[] }]>): void {
  const result = fc.check(property, { numRuns, seed: SEED, endOnFailure: process.env.FLOWPATROL_SHRINK === '0' });
  if (!result.failed) return;
  const error = result.errorInstance instanceof Difference ? result.errorInstance.message : String((result.errorInstance as Error).stack);
  const story = result.counterexample?.[0].story.join('\n') ?? '';
  assert.fail(`FLOWPATROL_SEED=${result.seed}, run ${result.numRuns}, path ${result.counterexamplePath}\n${error}\n${story}`);
}

/** A capture in batches as its source gives them, and its end. */
function actionsOf(path: string): Action[] {
  const source = openFile(path, '');
  const batch = createBatch(1);
  const actions: Action[] = [];
  while (source.read(batch) > 0) {
    const frames = Array.from({ length: batch.count }, (_, i) => {
      const [at, captured, wire] = batch.frames.subarray(i * FRAME_WORDS);
      return { time: batch.times[i], bytes: batch.bytes.slice(at, at + captured), wire, linkType: batch.linkType };
    });
    actions.push({ do: 'packets', frames });
  }
  source.close();
  return [...actions, { do: 'finish', reason: 'end of file' }];
}

describe('the model of the lifecycle', () => {
  it('knows every status and field', () => {
    assert.deepEqual(missingStatuses(), []);
    assert.ok(MODELLED.length > 70);
  });

  const sameAs = (scenarios: fc.Arbitrary<Scenario>) =>
    fc.property(scenarios, ({ setting, actions }) => {
      const difference = runBeside(setting, actions);
      if (difference !== '') throw new Difference(difference);
    });

  it('says what the engine says, whatever happens to an interface', () => holds(LONG ? 50_000 : 350, sameAs(scenario)));

  it('says what the engine says of a crowd', () => holds(LONG ? 1000 : 12, sameAs(crowd)));

  for (const capture of captureNames()) {
    it(`says what the engine says of ${capture}`, () => {
      const setting = { inline: true, maxFlows: 2000, dpiPackets: { tcp: 12, udp: 12 }, preferences: {}, listed: [], lost: [false] };
      assert.equal(runBeside(setting, actionsOf(`${CAPTURES}${capture}`)), '');
    });
  }
});
