/**
 * The real flow engine and the model (model.ts) side by side: over random interfaces, and over the test captures.
 *
 * FLOWPATROL_SEED repeats a run, FLOWPATROL_LONG=1 takes far longer ones, FLOWPATROL_SHRINK=0 shows the first failure as it is.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MODELLED } from './fields.ts';
import { runBeside } from './side-by-side.ts';
import { missingStatuses } from './statuses.ts';
import { scenario } from './traffic.ts';

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

describe('the model of the lifecycle', () => {
  it('knows every status and field', () => {
    assert.deepEqual(missingStatuses(), []);
    assert.ok(MODELLED.length > 70);
  });

  it('says what the engine says, whatever happens to an interface', () => {
    holds(
      LONG ? 50_000 : 600,
      fc.property(scenario, ({ setting, actions }) => {
        const difference = runBeside(setting, actions);
        if (difference !== '') throw new Difference(difference);
      }),
    );
  });
});
