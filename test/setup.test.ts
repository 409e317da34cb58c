import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test, { describe } from 'node:test';
import fc from 'fast-check';
import { installCommand, NODE_MAJOR, packagesFor, plan } from '../setup/plan.js';
import { nodePath, setUp } from '../setup/setup.js';

const root = new URL('..', import.meta.url);

/** A machine where all is there. */
const READY = { missing: [], apt: true, rights: 'root', modulesCurrent: true, packagedNode: true, machineMajor: 20 } as const;

describe('set-up decides', () => {
  test('nothing where all is there, whatever the rights', () => {
    for (const rights of ['root', 'sudo', 'none'] as const) assert.deepEqual(plan({ ...READY, rights, apt: false }), { steps: [] });
  });

  test('system packages before npm packages on a fresh machine', () => {
    const missing = packagesFor('start').map(({ name }) => name);
    assert.deepEqual(plan({ ...READY, missing, modulesCurrent: false }), {
      steps: [{ step: 'packages', names: ['libpcap-dev', 'libndpi-dev', 'gcc', 'libc6-dev'], sudo: false }, { step: 'modules' }],
    });
  });

  test('sudo where it has to', () => {
    assert.deepEqual(plan({ ...READY, missing: ['gcc'], rights: 'sudo' }), { steps: [{ step: 'packages', names: ['gcc'], sudo: true }] });
  });

  test('npm packages need no rights', () => {
    assert.deepEqual(plan({ ...READY, rights: 'none', modulesCurrent: false }), { steps: [{ step: 'modules' }] });
  });

  test('without rights: the exact command to run', () => {
    const decision = plan({ ...READY, missing: ['gcc', 'libpcap-dev'], rights: 'none' });
    assert.ok('problem' in decision);
    assert.match(decision.problem, /^ {2}apt-get update && apt-get install -y --no-install-recommends gcc libpcap-dev$/m);
    assert.equal(installCommand(['gcc'], true), 'sudo apt-get update && sudo apt-get install -y --no-install-recommends gcc');
  });

  test('without apt-get: what is missing', () => {
    const decision = plan({ ...READY, missing: ['libndpi-dev'], apt: false });
    assert.ok('problem' in decision);
    assert.match(decision.problem, /libndpi-dev/);
  });

  test('a processor without a Node from npm needs one of its own', () => {
    assert.ok('problem' in plan({ ...READY, packagedNode: false, machineMajor: NODE_MAJOR - 1 }));
    assert.deepEqual(plan({ ...READY, packagedNode: false, machineMajor: NODE_MAJOR }), { steps: [] });
  });

  test('property: a plan either explains itself or installs exactly what is missing', () => {
    const names = packagesFor('test').map(({ name }) => name);
    const state = fc.record({
      missing: fc.subarray(names),
      apt: fc.boolean(),
      rights: fc.constantFrom('root' as const, 'sudo' as const, 'none' as const),
      modulesCurrent: fc.boolean(),
      packagedNode: fc.boolean(),
      machineMajor: fc.integer({ min: 20, max: 30 }),
    });
    fc.assert(
      fc.property(state, (given) => {
        const decision = plan(given);
        if ('problem' in decision) return decision.problem.length > 0;
        const installed = decision.steps.flatMap((step) => (step.step === 'packages' ? step.names : []));
        assert.deepEqual(installed, given.missing);
        return decision.steps.some(({ step }) => step === 'modules') === !given.modulesCurrent;
      }),
    );
  });
});

describe('on this machine', () => {
  test('a second run does no step', () => {
    setUp('test');
    assert.deepEqual(setUp('test'), []);
    assert.deepEqual(setUp('start'), []);
  });

  test('says nothing when there is nothing to do', () => {
    const run = spawnSync(process.execPath, ['setup/setup.js', 'start'], { cwd: root, encoding: 'utf8' });
    assert.deepEqual([run.status, run.stdout, run.stderr], [0, '', '']);
  });

  test('the sources run under the pinned Node', () => {
    const run = spawnSync(nodePath(), ['--version'], { encoding: 'utf8' });
    assert.equal(Number.parseInt(run.stdout.slice(1), 10) >= NODE_MAJOR, true, run.stdout);
  });

  test('an unknown purpose is an error', () => {
    const run = spawnSync(process.execPath, ['setup/setup.js', 'all'], { cwd: root, encoding: 'utf8' });
    assert.equal(run.status, 2);
    assert.match(run.stderr, /start\|test/);
  });

  test('the lockfile names no registry', () => {
    assert.doesNotMatch(readFileSync(new URL('package-lock.json', root), 'utf8'), /"resolved": "https?:/);
  });
});
