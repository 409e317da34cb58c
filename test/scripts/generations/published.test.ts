/** Scripts as authors of each generation publish them, unmodified, on real captures by `flowpatrol test`: no failure, no warning. */
import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_CONFIG } from '../../../src/config.ts';
import { runTest, scriptTest } from '../../../src/scripts/testing/suite.ts';
import { runCli } from '../../support/run-cli.ts';

const FOLDER = resolve(import.meta.dirname, 'published');
const CAPTURES = resolve(import.meta.dirname, '../../captures');

const SCRIPTS: Readonly<Record<string, { readonly generation: string; readonly captures: readonly string[] }>> = {
  blacklisted_2019: { generation: '2019', captures: ['windows-network'] },
  mud_2019: { generation: '2019', captures: ['ssh-icmp'] },
  slow_tcp: { generation: '2019', captures: ['http-dns'] },
  tcp_flags: { generation: '2019', captures: ['smtp-icmp-errors', 'http-dns'] },
  dns_names_october: { generation: '4.0', captures: ['http-dns'] },
  remote_to_remote: { generation: '4.0', captures: ['http-dns'] },
  tcp_issues: { generation: '4.0', captures: ['retransmissions'] },
  udp_one_way: { generation: '4.0', captures: ['demo'] },
  web_mining: { generation: '4.0', captures: ['windows-network'] },
  elephants: { generation: '4.2', captures: ['ssh-icmp', 'quic'] },
  flow_risks: { generation: '4.2', captures: ['tls-ssl3', 'smtp-icmp-errors'] },
  tls_old: { generation: '4.2', captures: ['tls-ssl3', 'tls-1.1'] },
  unexpected_dns: { generation: '4.2', captures: ['http-dns', 'smtp-icmp-errors'] },
};

const pathsOf = (name: string): string[] => [
  join(FOLDER, `${name}.lua`),
  ...(SCRIPTS[name]?.captures ?? []).map((capture) => join(CAPTURES, `${capture}.pcap`)),
];

for (const [name, { generation }] of Object.entries(SCRIPTS)) {
  test(`${generation}: ${name}`, async () => {
    const [script, ...captures] = pathsOf(name) as [string, ...string[]];
    const { outcome, diff, runs } = await runTest(scriptTest(script, captures), { config: DEFAULT_CONFIG, allCalls: false }, false);
    assert.deepEqual([outcome, ...diff], ['same']);
    for (const { callbacks } of runs) for (const { failures } of Object.values(callbacks)) assert.equal(failures, 0);
  });
}

test('by the command line, as a user runs one of each generation', () => {
  for (const name of ['slow_tcp', 'remote_to_remote', 'unexpected_dns']) {
    const { status, stdout, stderr } = runCli(['test', ...pathsOf(name)]);
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, new RegExp(`^same +\\S*${name}\\.lua`));
  }
});

test('the list knows the generation of each, and warns of none', () => {
  const { status, stdout, stderr } = runCli(['scripts', 'list', '--scripts-dir', FOLDER]);
  assert.equal(status, 0, stdout + stderr);
  const found = [...stdout.matchAll(/^(\w+) +on +Lua (\S+)/gm)].map(([, key = '', generation]) => [key.replace(/_key$/, ''), generation]);
  assert.deepEqual(
    found.sort(),
    Object.entries(SCRIPTS)
      .map(([name, { generation }]) => [name, generation])
      .sort(),
  );
  assert.doesNotMatch(stdout + stderr, /warning/i);
});
