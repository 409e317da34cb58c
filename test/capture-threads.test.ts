/**
 * Several capture threads look like one: the same captures, replayed at 10,000 packets a second, give the same flows with the same
 * packets and bytes, and nothing is lost. In a network namespace of its own; needs root, iproute2 and tcpreplay.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CAPTURES } from './support/golden.ts';
import { CLI } from './support/run-cli.ts';

const NAMESPACE = `flowpatrol-threads-${process.pid}`;
const REPLAYED = ['demo.pcap', 'windows-network.pcap', 'http-dns.pcap', 'ipv6.pcap', 'fragments-ipv4.pcap', 'ssh-icmp.pcap'];
const root = process.getuid?.() === 0;

const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8' });
const inside = (...args: string[]): string[] => ['netns', 'exec', NAMESPACE, ...args];

/** Packets and bytes by conversation, and what flowpatrol said at its end. */
async function listen(threads: number, folder: string): Promise<{ flows: Map<string, [number, number]>; said: string }> {
  const file = join(folder, `${threads}.jsonl`);
  const args = [CLI, '-i', 'fpb', '--capture-threads', String(threads), '--no-scripts', '--export-flows', file];
  const patrol = spawn('ip', inside(process.execPath, ...args), { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  patrol.stderr.on('data', (part: Buffer) => {
    said += part.toString();
  });
  const ended = once(patrol, 'exit');
  while (!said.includes('capturing')) await once(patrol.stderr, 'data');
  for (const name of REPLAYED) ip(...inside('tcpreplay', '--quiet', '--pps', '10000', '--intf1', 'fpa', join(CAPTURES, name)));
  patrol.kill('SIGINT'); // what the kernel holds by then is still read
  const [code] = (await ended) as [number | null];
  assert.equal(code, 0, said);
  const flows = new Map<string, [number, number]>();
  for (const line of readFileSync(file, 'utf8').split('\n').slice(0, -1)) {
    const flow = JSON.parse(line) as Record<string, string | number>;
    const ends = ['cli', 'srv'].map((side) => `${flow[`${side}.ip`]} ${flow[`${side}.port`]}`).sort();
    const key = [flow['proto.l4_id'], flow.vlan, ...ends].join(' ');
    const [packets, bytes] = flows.get(key) ?? [0, 0];
    flows.set(key, [packets + Number(flow.packets), bytes + Number(flow.bytes)]);
  }
  return { flows, said };
}

test('four capture threads see the flows that one sees, and lose nothing', async () => {
  if (!root) {
    const again = spawnSync('sudo', ['-n', process.execPath, '--test', fileURLToPath(import.meta.url)], { encoding: 'utf8' });
    assert.equal(again.status, 0, `needs root: run the tests as root, or let sudo run without a password\n${again.stdout}${again.stderr}`);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-threads-'));
  try {
    ip('netns', 'add', NAMESPACE);
    ip(...inside('sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6'));
    ip('-n', NAMESPACE, 'link', 'add', 'fpa', 'mtu', '9000', 'type', 'veth', 'peer', 'name', 'fpb', 'mtu', '9000');
    for (const end of ['fpa', 'fpb']) ip('-n', NAMESPACE, 'link', 'set', end, 'up');
    const one = await listen(1, folder);
    const four = await listen(4, folder);
    assert.ok(one.flows.size > 400, `${one.flows.size} conversations`);
    assert.deepEqual([...four.flows].sort(), [...one.flows].sort());
    for (const { said } of [one, four]) assert.match(said, /^Losses: nothing lost$/m);
  } finally {
    spawnSync('ip', ['netns', 'del', NAMESPACE]);
    rmSync(folder, { recursive: true, force: true });
  }
});
