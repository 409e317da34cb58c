/**
 * The doctor: what it makes of the words of the kernel and of commands (real outputs, shortened), and whole runs on this machine:
 * as it is, in a network namespace with interfaces in known states, and without the right to capture.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, test } from 'node:test';
import { lockDataDirectory } from '../../src/cli/data-directory.ts';
import { clockFinding, clockSourceFinding, timeZoneFinding } from '../../src/cli/doctor/clock.ts';
import { diskFinding, geoFinding } from '../../src/cli/doctor/data.ts';
import { CHECKS, type Finding } from '../../src/cli/doctor/finding.ts';
import { dropsFinding, interfaceFinding } from '../../src/cli/doctor/interface.ts';
import { hugePagesFinding, memoryFinding, openFilesFinding, processorFinding, udpBufferFinding } from '../../src/cli/doctor/machine.ts';
import { offloadsFinding, parseRing } from '../../src/cli/doctor/offloads.ts';
import { addonFinding, gzipFinding, nodeFinding } from '../../src/cli/doctor/program.ts';
import { findingLines, summaryLine } from '../../src/cli/doctor/report.ts';
import { rightsFinding } from '../../src/cli/doctor/rights.ts';
import { type Answer, ask } from '../../src/cli/doctor/system.ts';
import { checks, doctor } from '../../src/cli/doctor.ts';
import { OPTIONS } from '../../src/cli/options.ts';
import { type Config, DEFAULT_CONFIG } from '../../src/config.ts';
import { parseListOption } from '../../src/hosts/lists/declaration.ts';
import { asRoot } from '../support/veth.ts';

const PROJECT = resolve(import.meta.dirname, '../..');
const CAPTURE = join(PROJECT, 'test/captures/irc.pcap');
const scratch = mkdtempSync(join(tmpdir(), 'flowpatrol-doctor-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const answered = (text: string): Answer => ({ state: 'answered', text });
const MISSING: Answer = { state: 'missing' };
const FAILED: Answer = { state: 'failed' };

/** Level and to-do: the words between them may change. */
const verdict = ({ level, todo }: Finding): [string, string] => [level, todo];

async function all(config: Partial<Config>): Promise<Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of checks({ ...DEFAULT_CONFIG, ...config })) findings.push(finding);
  return findings;
}

const about = (findings: readonly Finding[], check: string): Finding[] => findings.filter((finding) => finding.check === check);
const only = (findings: readonly Finding[], check: string): Finding => {
  const found = about(findings, check);
  assert.equal(found.length, 1, `${check}: ${JSON.stringify(found)}`);
  return found[0] as Finding;
};

describe('program', () => {
  test('Node: too old is a problem, an untested machine a hint', () => {
    assert.deepEqual(verdict(nodeFinding('v24.21.0', 'linux', 'arm64')), ['ok', '']);
    assert.deepEqual(verdict(nodeFinding('v22.18.0', 'linux', 'x64')), ['problem', 'npm run setup']);
    assert.equal(nodeFinding('v24.21.0', 'linux', 'riscv64').level, 'hint');
    assert.equal(nodeFinding('v24.21.0', 'darwin', 'arm64').level, 'hint');
  });

  test('an addon that is missing or broken, as Node says it', () => {
    const broken = join(scratch, 'flowpatrol.node');
    writeFileSync(broken, 'no shared object');
    const errorOf = (path: string): unknown => {
      try {
        return createRequire(import.meta.url)(path);
      } catch (error) {
        return error;
      }
    };
    assert.deepEqual(verdict(addonFinding(errorOf(join(scratch, 'nothing.node')))), ['problem', 'npm run setup']);
    assert.deepEqual(verdict(addonFinding(errorOf(broken))), ['problem', 'rm -r native/build; npm run setup']);
  });

  test('gzip is needed by compressed captures only', () => {
    assert.equal(gzipFinding(answered('gzip 1.12\nCopyright'), []).what, 'gzip 1.12 for compressed captures');
    assert.equal(gzipFinding(MISSING, ['a.pcap']).level, 'hint');
    assert.equal(gzipFinding(MISSING, ['a.pcap.gz']).level, 'problem');
  });
});

describe('rights', () => {
  const status = (uid: number, effective: string, bounding = '000001ffffffffff'): string =>
    `Name:\tnode\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nCapEff:\t${effective}\nCapBnd:\t${bounding}\n`;

  test('root, a user, a user with the capability', () => {
    assert.equal(rightsFinding(status(0, '000001ffffffffff'), '/usr/bin/node', true).level, 'ok');
    assert.equal(rightsFinding(status(1000, '0000000000002000'), '/usr/bin/node', true).level, 'ok');
    const refused = rightsFinding(status(1000, '0000000000000000'), '/usr/bin/node', true);
    assert.deepEqual(verdict(refused), ['problem', 'sudo setcap cap_net_raw=ep /usr/bin/node\nor: sudo flowpatrol …']);
    assert.equal(rightsFinding(status(1000, '0000000000000000'), '/usr/bin/node', false).level, 'hint');
  });

  test('what a container must not have, setcap does not bring back', () => {
    const refused = rightsFinding(status(0, '00000000a80405fb', '00000000a80405fb'), '/usr/bin/node', true);
    assert.equal(refused.level, 'problem');
    assert.match(refused.todo, /--cap-add=NET_RAW/);
  });
});

const VIRTIO = `Features for eth0:
rx-checksumming: on [fixed]
tcp-segmentation-offload: on
	tx-tcp-segmentation: on
generic-segmentation-offload: on
generic-receive-offload: on
large-receive-offload: off [fixed]
rx-vlan-offload: off [fixed]
rx-gro-hw: on [fixed]
rx-gro-list: off
`;
const IXGBE = `Features for eth1:
tcp-segmentation-offload: off
generic-segmentation-offload: off
generic-receive-offload: on
large-receive-offload: on
rx-vlan-offload: on
rx-gro-hw: off [fixed]
`;
const RING = `Ring parameters for eth1:
Pre-set maximums:
RX:		4096
RX Mini:	n/a
TX:		4096
Current hardware settings:
RX:		512
RX Mini:	n/a
TX:		512
RX Buf Len:		n/a
`;

describe('interface', () => {
  test('offloads: what merges packets is to be switched off, as far as it can be', () => {
    assert.deepEqual(verdict(offloadsFinding('eth0', answered(VIRTIO))), ['hint', 'sudo ethtool -K eth0 gro off']);
    assert.deepEqual(verdict(offloadsFinding('eth1', answered(IXGBE))), ['hint', 'sudo ethtool -K eth1 gro off lro off']);
    const off = offloadsFinding('eth1', answered(IXGBE.replaceAll(/(receive-offload): on/g, '$1: off')));
    assert.deepEqual(verdict(off), ['ok', '']);
    assert.match(off.what, /VLAN/);
    const fixed = offloadsFinding('eth0', answered(VIRTIO.replace('generic-receive-offload: on', 'generic-receive-offload: off')));
    assert.equal(fixed.level, 'ok');
    assert.match(fixed.what, /rx-gro-hw is fixed.*tso, gso/);
    assert.deepEqual(verdict(offloadsFinding('eth0', MISSING)), ['hint', 'sudo apt-get install ethtool']);
    assert.equal(offloadsFinding('lo', FAILED).level, 'ok');
  });

  test('ring and drops: a card that ran out of room gets more, where it has more', () => {
    const ring = parseRing(RING);
    assert.deepEqual(ring, { rx: 512, most: 4096 });
    assert.equal(parseRing('Ring parameters for eth0:\nRX:\t\tn/a\n'), undefined);
    const none = { packets: 1000, dropped: 3, missed: 0, fifo: 0 };
    assert.equal(dropsFinding('eth1', none, ring).level, 'ok');
    assert.deepEqual(verdict(dropsFinding('eth1', { ...none, missed: 7, fifo: 7 }, ring)), ['hint', 'sudo ethtool -G eth1 rx 4096']);
    assert.match(dropsFinding('eth1', { ...none, missed: 7, fifo: 7 }, ring).what, / 7 of 1,007 /);
    assert.deepEqual(verdict(dropsFinding('eth1', { ...none, missed: 7 }, undefined)), ['hint', 'ip -s -s link show eth1']);
    assert.deepEqual(verdict(dropsFinding('eth1', { ...none, dropped: 11 }, ring)), ['hint', 'ip -s -s link show eth1']);
  });

  test('state: down, no carrier, jumbo frames', () => {
    const up = { flags: 0x1003, carrier: '1', mtu: 1500, speed: 10_000, wireless: false };
    assert.equal(interfaceFinding('eth0', up, 65_535).what, 'eth0: up, MTU 1500, 10,000 Mbit/s');
    assert.deepEqual(verdict(interfaceFinding('eth0', { ...up, flags: 0x1002 }, 65_535)), ['problem', 'sudo ip link set eth0 up']);
    assert.equal(interfaceFinding('eth0', { ...up, carrier: '0' }, 65_535).level, 'hint');
    assert.deepEqual(verdict(interfaceFinding('eth0', { ...up, mtu: 9000 }, 1600)), ['hint', '--snap-length 9022']);
    assert.match(interfaceFinding('wlan0', { ...up, wireless: true }, 65_535).what, /Wi-Fi/);
  });
});

describe('machine', () => {
  test('UDP buffers matter where a collector is asked for', () => {
    assert.equal(udpBufferFinding('212992', []).level, 'ok');
    assert.deepEqual(verdict(udpBufferFinding('212992', ['udp://:2055'])), ['hint', 'sudo sysctl -w net.core.rmem_max=33554432']);
    assert.equal(udpBufferFinding('33554432', ['udp://:2055']).level, 'ok');
  });

  test('huge pages', () => {
    assert.equal(hugePagesFinding('always [madvise] never').level, 'ok');
    assert.equal(hugePagesFinding('[always] madvise never').level, 'ok');
    assert.match(hugePagesFinding('always madvise [never]').todo, /^echo madvise \| sudo tee \/sys\//);
  });

  test('memory: the number of flows that is advised fits', () => {
    const config = { ...DEFAULT_CONFIG, maxFlows: 1_000_000 };
    assert.equal(memoryFinding(8e9, config, 1, 1).level, 'ok');
    for (const interfaces of [1, 3]) {
      const finding = memoryFinding(700e6, config, interfaces, 1);
      assert.equal(finding.level, 'hint');
      const maxFlows = Number(/^--max-flows (\d+)$/.exec(finding.todo)?.[1]);
      assert.ok(maxFlows > 50_000, finding.todo);
      assert.equal(memoryFinding(700e6, { ...config, maxFlows }, interfaces, 1).level, 'ok');
    }
    assert.equal(memoryFinding(100e6, config, 1, 1).todo, '--max-flows 1000 --buffer-size 4M');
  });

  test('processor and open files', () => {
    assert.equal(processorFinding(4, 0.5, 2).level, 'ok');
    assert.equal(processorFinding(4, 7, 1).todo, 'top');
    assert.equal(processorFinding(1, 0, 1).todo, '--no-scripts');
    assert.equal(processorFinding(2, 0, 3).level, 'hint');
    const limits = (soft: string): string =>
      `Limit                     Soft Limit           Hard Limit           Units     \nMax open files            ${soft.padEnd(20)} 1048576              files     \n`;
    assert.equal(openFilesFinding(limits('1024'))?.level, 'ok');
    assert.equal(openFilesFinding(limits('unlimited'))?.level, 'ok');
    assert.equal(openFilesFinding(limits('256'))?.todo, 'ulimit -n 1024');
    assert.equal(openFilesFinding(''), undefined);
  });
});

describe('clock', () => {
  const show = (service: string, synchronised: string): Answer =>
    answered(`Timezone=Europe/Rome\nLocalRTC=no\nCanNTP=yes\nNTP=${service}\nNTPSynchronized=${synchronised}\n`);
  const tracking = (leap: string): Answer =>
    answered(
      `Reference ID    : C0000201 (192.0.2.1)\nStratum         : 3\nSystem time     : 0.000020 seconds fast of NTP time\nLeap status     : ${leap}\n`,
    );

  test('synchronised, by whichever program can say so', () => {
    assert.equal(clockFinding(show('yes', 'yes'), MISSING, false).level, 'ok');
    assert.deepEqual(verdict(clockFinding(show('no', 'no'), MISSING, false)), ['hint', 'sudo timedatectl set-ntp true']);
    assert.deepEqual(verdict(clockFinding(show('yes', 'no'), MISSING, false)), ['hint', 'timedatectl timesync-status']);
    assert.equal(clockFinding(FAILED, tracking('Normal'), false).what, 'the clock is synchronised: 0.000020 seconds fast of NTP time');
    assert.deepEqual(verdict(clockFinding(MISSING, tracking('Not synchronised'), false)), ['hint', 'chronyc sources']);
    assert.equal(clockFinding(MISSING, FAILED, true).level, 'ok');
    assert.equal(clockFinding(FAILED, MISSING, false).level, 'hint');
  });

  test('source and zone', () => {
    assert.equal(clockSourceFinding('kvm-clock', 'kvm-clock tsc').level, 'ok');
    assert.match(clockSourceFinding('hpet', 'tsc hpet acpi_pm').todo, /^echo tsc \| sudo tee /);
    assert.deepEqual(verdict(clockSourceFinding('acpi_pm', 'acpi_pm')), ['hint', '']);
    assert.equal(timeZoneFinding(undefined, 'UTC').level, 'ok');
    assert.equal(timeZoneFinding(':Europe/Rome', 'Europe/Rome').level, 'ok');
    assert.equal(timeZoneFinding('Rome/Italy', 'UTC').level, 'hint');
  });
});

describe('data', () => {
  test('disk: full, short, on the network', () => {
    assert.equal(diskFinding('/data', 0xef53, 80e9).level, 'ok');
    assert.equal(diskFinding('/data', 0xef53, 0.5e9).level, 'hint');
    assert.equal(diskFinding('/data', 0xef53, 1e6).level, 'problem');
    assert.match(diskFinding('/data', 0x6969, 80e9).what, /NFS/);
  });

  test('the age of geographic data is in its version', () => {
    const day = Date.UTC(2026, 6, 1);
    assert.deepEqual(verdict(geoFinding('x', '2.3.2026061719', day) as Finding), ['ok', '']);
    assert.equal(geoFinding('x', '2.3.2025061719', day)?.todo, 'npm install --save-exact x@latest');
    assert.match(geoFinding('x', '2.3.2025061719', day)?.what ?? '', /379 days/);
    assert.equal(geoFinding('x', '1.0.0', day), undefined);
  });

  test('a data directory: missing, held by another process, left by it, no directory', async (t) => {
    const directory = join(scratch, 'store');
    const look = async (dataDirectory: string): Promise<Finding> => only(await all({ interfaces: [CAPTURE], dataDirectory }), 'data-dir');
    assert.equal((await look(directory)).level, 'ok');
    assert.deepEqual(
      readdirSync(scratch).filter((name) => name === 'store'),
      [],
      'looking makes nothing',
    );

    const module = new URL('../../src/cli/data-directory.ts', import.meta.url).href;
    const holder = spawn(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { lockDataDirectory } from ${JSON.stringify(module)};
        const lock = lockDataDirectory(process.argv[1]);
        console.log('locked');
        process.stdin.on('data', () => lock.release());`,
        directory,
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    t.after(() => holder.kill('SIGKILL'));
    await once(createInterface(holder.stdout), 'line');
    const before = readdirSync(directory);
    const held = await look(directory);
    assert.deepEqual(verdict(held), ['problem', `kill ${holder.pid}\nor: -d DIRECTORY, another one`]);
    assert.deepEqual(readdirSync(directory), before);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    assert.equal((await look(directory)).level, 'ok');
    lockDataDirectory(directory).release();

    const file = join(scratch, 'file');
    writeFileSync(file, '');
    assert.equal((await look(file)).level, 'problem');
    assert.equal((await look(join(file, 'below'))).level, 'problem');
  });

  test('scripts, lists, exports', async () => {
    const scripts = join(scratch, 'scripts');
    mkdirSync(scripts);
    const list = join(scratch, 'list');
    writeFileSync(list, '192.0.2.1\n');
    const empty = await all({
      interfaces: [CAPTURE],
      scriptDirectories: [scripts],
      lists: [list, join(scratch, 'nothing'), scripts].map((from) => ({ ...parseListOption(list), from })),
    });
    assert.equal(only(empty, 'scripts').level, 'hint');
    assert.deepEqual(
      about(empty, 'lists').map((of) => of.level),
      ['ok', 'problem', 'problem'],
    );
    writeFileSync(join(scripts, 'a.lua'), '');
    const config = { scriptDirectories: [scripts, join(scratch, 'none')], exportFlows: join(scratch, 'none', 'x'), exportAlerts: list };
    const findings = await all({ interfaces: [CAPTURE], ...config });
    assert.deepEqual(
      about(findings, 'scripts').map((of) => of.level),
      ['problem', 'ok'],
    );
    assert.deepEqual(about(findings, 'exports').map(verdict), [
      ['problem', `mkdir -p ${join(scratch, 'none')}`],
      ['ok', ''],
    ]);
  });
});

describe('report', () => {
  const findings: Finding[] = [
    { check: 'clock-source', level: 'ok', what: `a ${'long '.repeat(30)}sentence with \u001b[2J`, todo: '' },
    { check: 'ndpi', level: 'hint', what: 'short', todo: 'one\ntwo' },
    { check: 'rights', level: 'problem', what: 'short', todo: 'three' },
  ];
  const plain = { colour: false, columns: 80 };

  test('aligned, wrapped, nothing that a terminal would obey', () => {
    const lines = findings.flatMap((finding) => findingLines(finding, plain));
    for (const line of lines) assert.ok(line.length <= 80, line);
    assert.ok(!lines.join('').includes('\u001b'));
    assert.deepEqual(lines.slice(-5), [
      '! ndpi          short',
      '                → one',
      '                → two',
      '✗ rights        short',
      '                → three',
    ]);
    assert.equal(summaryLine(findings, plain), '✓ 1 fine   ! 1 to improve   ✗ 1 in the way');
    assert.equal(summaryLine([], plain), '✓ 0 fine');
  });

  test('colours change no other character', () => {
    for (const finding of findings) {
      const coloured = findingLines(finding, { ...plain, colour: true }).join('\n');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what colours are
      assert.equal(coloured.replaceAll(/\u001b\[\d+m/g, ''), findingLines(finding, plain).join('\n'));
      assert.ok(coloured.startsWith('\u001b[3'));
    }
  });
});

/** Runs in another process: another network namespace, other rights. */
const DRIVER = `
  import { doctor } from ${JSON.stringify(new URL('../../src/cli/doctor.ts', import.meta.url).href)};
  import { DEFAULT_CONFIG } from ${JSON.stringify(new URL('../../src/config.ts', import.meta.url).href)};
  const config = { ...DEFAULT_CONFIG, ...JSON.parse(process.argv[1]) };
  process.exitCode = await doctor(config, (text) => process.stdout.write(text), { json: true, colour: false, columns: 80 });`;

function runWith(prefix: readonly string[], config: Partial<Config>): { status: number | null; findings: Finding[] } {
  const [command = '', ...args] = [...prefix, process.execPath, '--input-type=module', '-e', DRIVER, JSON.stringify(config)];
  const run = spawnSync(command, args, { encoding: 'utf8' });
  assert.equal(run.stderr, '');
  return { status: run.status, findings: JSON.parse(run.stdout) as Finding[] };
}

describe('on this machine', () => {
  test('a capture can be read: no problem, every finding from the list, as text and as JSON', async () => {
    const config = {
      ...DEFAULT_CONFIG,
      interfaces: [CAPTURE],
      scriptDirectories: [join(PROJECT, 'scripts/callbacks/interface/alerts/flow')],
    };
    const written: string[] = [];
    const code = await doctor(config, (text) => written.push(text), { json: false, colour: false, columns: 80 });
    const text = written.join('');
    assert.equal(code, 0, text);
    assert.match(text, /^✓ addon {9}the addon is built and loads$/m);
    assert.match(text, /^✓ ndpi {10}nDPI \d/m);
    assert.match(text, /\n\n✓ \d+ fine[^\n]*\n$/);
    for (const line of text.split('\n')) assert.ok(line.length <= 80 || /→|^.{16}\S+$/.test(line), line); // but for paths

    const { status, findings } = runWith([], config);
    assert.equal(status, 0);
    const order = findings.map(({ check }) => CHECKS.indexOf(check));
    assert.ok(!order.includes(-1));
    assert.deepEqual(
      order,
      order.toSorted((x, y) => x - y),
    );
  });

  test('names that are nothing: exit code 1', async () => {
    const findings = await all({ interfaces: ['nosuchcard', join(scratch, 'no.pcap'), scratch] });
    assert.deepEqual(about(findings, 'interface').map(verdict), [
      ['problem', 'flowpatrol interfaces'],
      ['problem', `ls -l ${scratch}`],
      ['problem', `ls -l ${resolve(scratch, '..')}`],
    ]);
  });

  // network namespaces and dropped rights want root; what they show does not depend on who looks
  test('interfaces in a namespace: up with offloads, without carrier, down', async (t) => {
    if (!asRoot(import.meta.url)) return;
    const namespace = `flowpatrol-doctor-${process.pid}`;
    const ip = (...args: string[]): void => {
      const run = spawnSync('ip', args, { encoding: 'utf8' });
      assert.equal(run.status, 0, run.stderr);
    };
    ip('netns', 'add', namespace);
    t.after(() => ip('netns', 'del', namespace));
    ip('-n', namespace, 'link', 'add', 'fpone', 'type', 'veth', 'peer', 'name', 'fptwo');
    ip('-n', namespace, 'link', 'add', 'fpthree', 'type', 'veth', 'peer', 'name', 'fpfour');
    for (const name of ['fpone', 'fptwo', 'fpthree']) ip('-n', namespace, 'link', 'set', name, 'up');
    const inside = ['ip', 'netns', 'exec', namespace];

    const byDefault = runWith(inside, {});
    assert.equal(byDefault.status, 0);
    const opened = about(byDefault.findings, 'capture').map(({ what }) => what);
    assert.deepEqual(
      opened.sort(),
      ['fpone', 'fpthree', 'fptwo'].map((name) => `${name}: can be opened, buffer 32 MiB`),
    );

    const tool = (await ask('ethtool', '--version')).state === 'answered';
    if (tool) ip('netns', 'exec', namespace, 'ethtool', '-K', 'fptwo', 'gro', 'on');
    const { status, findings } = runWith(inside, { interfaces: ['fpone', 'fptwo', 'fpthree', 'fpfour'] });
    assert.equal(status, 1);
    assert.deepEqual(
      about(findings, 'interface').map(({ level, todo }) => [level, todo]),
      [
        ['ok', ''],
        ['ok', ''],
        ['hint', 'ip -d link show fpthree'],
        ['problem', 'sudo ip link set fpfour up'],
      ],
    );
    assert.equal(about(findings, 'capture')[0]?.what, 'fpone: can be opened, promiscuous, buffer 32 MiB');
    assert.deepEqual(
      about(findings, 'offloads').slice(0, 2).map(verdict),
      tool
        ? [
            ['ok', ''],
            ['hint', 'sudo ethtool -K fptwo gro off'],
          ]
        : [
            ['hint', 'sudo apt-get install ethtool'],
            ['hint', 'sudo apt-get install ethtool'],
          ],
    );
    assert.ok(about(findings, 'drops').every(({ level }) => level === 'ok'));
  });

  test('without the right to capture: a problem with an interface, none with a capture', () => {
    if (!asRoot(import.meta.url)) return;
    const without = ['setpriv', '--bounding-set=-net_raw', '--'];
    const live = runWith(without, { interfaces: ['lo'] });
    assert.equal(live.status, 1);
    assert.equal(only(live.findings, 'rights').level, 'problem');
    assert.deepEqual(verdict(only(live.findings, 'capture')), ['problem', '']);
    const file = runWith(without, { interfaces: [CAPTURE] });
    assert.equal(file.status, 0);
    assert.equal(only(file.findings, 'rights').level, 'hint');
  });
});

test('options that are advised exist', () => {
  const folder = join(PROJECT, 'src/cli/doctor');
  const sources = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  const ofOthers = ['version', 'cap-add', 'network', 'save-exact']; // gzip, docker, npm
  const advised = new Set(sources.flatMap((source) => [...source.matchAll(/--([a-z][a-z-]+)/g)].map((match) => match[1] as string)));
  const known = new Set([...OPTIONS.map(({ name }) => name), ...ofOthers]);
  assert.deepEqual(
    [...advised].filter((name) => !known.has(name)),
    [],
  );
  assert.ok(advised.has('max-flows'));
});

test('the guide explains every check, and no other', () => {
  const guide = readFileSync(join(PROJECT, 'docs/guides/doctor.md'), 'utf8');
  const explained = [...guide.matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1]);
  assert.deepEqual(explained, [...CHECKS]);
});
