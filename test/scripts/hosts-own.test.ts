/** When a script in a host of its own rests, and when it comes back: on a live interface the timer is the test's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CALLBACK_BIT, CALLBACKS } from '../../src/flows/event.ts';
import type { HostThread } from '../../src/scripts/hosting/host-thread.ts';
import { createOwnHosts, type OwnHosts } from '../../src/scripts/hosting/own-hosts.ts';
import { createTallyBuffer, openTallies } from '../../src/scripts/tally.ts';

const MINUTE_MS = 60_000;

/** Hosts without threads: what they would do is not asked. */
function ownHosts(live: boolean): { own: OwnHosts; running: () => string[]; said: string[]; told: string[]; replace(path: string): void } {
  const said: string[] = [];
  const told: string[] = [];
  const launch = (path: string, ring: SharedArrayBuffer): HostThread => ({
    own: path,
    ring,
    report: undefined,
    ended: false,
    tell() {},
    lastCall: () => ({ script: undefined, what: 'call', callback: 0, done: 0 }),
    versions: () => ({ loaded: new Map(), tried: new Map() }),
    linesLost: () => 0,
    flowsLost: () => 0,
    terminate: async () => [],
  });
  const own = createOwnHosts({
    live,
    tallies: openTallies(createTallyBuffer(), CALLBACK_BIT[CALLBACKS[0]]),
    numberOf: () => 1,
    launch,
    terminate: (_, then) => then(),
    tell: (command) => command.type === 'forward' && told.push(`${command.path} ${command.ring === undefined ? 'rests' : 'runs'}`),
    complain: (path, what) => said.push(`${path}: ${what}`),
    fewer() {},
  });
  return {
    own,
    said,
    told,
    running: () => own.hosts().map((host) => host.own as string),
    replace(path) {
      own.replace(own.hosts().find((host) => host.own === path) as HostThread, 'did not return');
    },
  };
}

test('there are four hosts of single scripts; the fifth script rests for a minute, as one does that was ended three times', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { own, running, said, told, replace } = ownHosts(true);
  for (const path of ['a', 'b', 'c', 'd', 'e']) {
    own.add(path);
    own.start(path, 0);
  }
  assert.deepEqual(running(), ['a', 'b', 'c', 'd']);
  assert.equal(own.rests('e'), true);
  assert.equal(told.at(-1), 'e rests');
  assert.deepEqual(said.splice(0), ['e: 4 scripts have hosts of their own already: this one is switched off for 60 s']);
  for (let i = 0; i < 3; i++) replace('a');
  assert.deepEqual(said.splice(0), ['a: the script did not return 3 times: it is switched off for 60 s']);
  t.mock.timers.tick(MINUTE_MS);
  assert.deepEqual(running(), ['b', 'c', 'd', 'e']); // the one that rested first, and the other one has no room
  assert.deepEqual(said.splice(0), ['a: 4 scripts have hosts of their own already: this one is switched off for 120 s']);
  own.rejoin('b');
  t.mock.timers.tick(2 * MINUTE_MS);
  assert.deepEqual(running().sort(), ['a', 'c', 'd', 'e']);
  own.close();
});

test('on a capture it rests until the end of the run, or until somebody wants it', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { own, running, said, replace } = ownHosts(false);
  own.add('a');
  own.start('a', 0);
  for (let i = 0; i < 3; i++) replace('a');
  assert.deepEqual(said, ['a: the script did not return 3 times: it is switched off until the end of the run']);
  t.mock.timers.tick(60 * MINUTE_MS);
  assert.deepEqual(running(), []);
  own.renew('a');
  assert.deepEqual(running(), ['a']);
  own.close();
});
