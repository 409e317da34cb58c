/** The scripts that come with the project: each does on its capture what its golden text says, and all are silent on ordinary traffic. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { examplePages, examples } from '../../docs/examples.ts';
import { DEFAULT_CONFIG } from '../../src/config.ts';
import { CALLBACKS } from '../../src/flows/event.ts';
import { checkScripts } from '../../src/scripts/check.ts';
import { runTest, scriptsOf, scriptTest } from '../../src/scripts/testing/suite.ts';
import { EXAMPLE_CAPTURES, exampleCapture } from '../support/example-captures.ts';
import { CAPTURES } from '../support/golden.ts';
import { pcapFile } from '../support/packets.ts';
import { runCli } from '../support/run-cli.ts';

const DIRECTORY = fileURLToPath(new URL('../../scripts/callbacks/interface/alerts/flow', import.meta.url));
const PAGES = new URL('../../docs/examples/', import.meta.url);

describe('each example', () => {
  for (const script of scriptsOf(DIRECTORY)) {
    test(script.slice(DIRECTORY.length + 1), async () => {
      const { outcome, diff, runs } = await runTest(scriptTest(script, []), { config: DEFAULT_CONFIG, allCalls: false }, false);
      assert.deepEqual([outcome, ...diff], ['same']);
      for (const { alerts, callbacks } of runs) {
        assert.ok(alerts > 0, 'it finds something');
        for (const [callback, { failures }] of Object.entries(callbacks)) assert.equal(failures, 0, callback);
      }
    });
  }
});

test('the types are right', async () => {
  assert.deepEqual(await checkScripts([DIRECTORY]), []);
});

test('the examples use all callbacks and both languages', () => {
  const all = examples();
  assert.ok(all.length >= 12);
  assert.ok(all.filter(({ language }) => language === 'ts').length >= 4);
  assert.deepEqual(
    CALLBACKS.filter((callback) => !all.some(({ callbacks }) => callbacks.includes(callback))),
    [],
  );
});

test('on ordinary traffic they say only what is true', () => {
  const names = ['demo', 'http-dns', 'ipv6', 'quic', 'retransmissions', 'smtp-icmp-errors', 'vlan-mpls', 'windows-network'];
  const { stdout, status } = runCli([
    ...names.flatMap((name) => ['-i', `${CAPTURES}${name}.pcap`]),
    ...['--max-flows', '2000', '--scripts-dir', DIRECTORY, '--shutdown-when-done', '--pcap-callbacks', 'all', '--export-alerts', '-'],
  ]);
  assert.equal(status, 0);
  const alerts = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { readonly interface: string; readonly script: string });
  assert.deepEqual(
    alerts
      .filter(({ script }) => script !== 'core')
      .map((alert) => `${basename(alert.interface)} ${alert.script}`)
      .sort(),
    [
      'retransmissions.pcap bad_line',
      'smtp-icmp-errors.pcap clear_text_login', // a password by SMTP
      'vlan-mpls.pcap clear_text_login', // and one by Telnet
    ],
  );
});

test('the captures are what the builder makes, one for each script', () => {
  assert.deepEqual(
    Object.keys(EXAMPLE_CAPTURES).sort(),
    examples()
      .map(({ name }) => name)
      .sort(),
  );
  for (const [name, { packets }] of Object.entries(EXAMPLE_CAPTURES)) {
    assert.ok(readFileSync(exampleCapture(name)).equals(pcapFile(packets())), `${name}: run node test/support/example-captures.ts`);
  }
});

test('the pages are made from the scripts as they are', () => {
  const pages = examplePages('<!-- Made by `node docs/generate.ts`. Do not edit. -->');
  assert.deepEqual(
    readdirSync(PAGES).sort(),
    Object.keys(pages)
      .map((path) => path.slice('docs/examples/'.length))
      .sort(),
  );
  for (const [path, make] of Object.entries(pages)) {
    assert.ok(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8') === make(), `${path} is stale: run node docs/generate.ts`);
  }
});
