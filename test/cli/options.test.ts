/** Arguments in, configuration or error text out. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { ALL_OPTIONS, COMMANDS } from '../../src/cli/commands.ts';
import { parseConfigurationFile } from '../../src/cli/configuration-file.ts';
import { CommandError } from '../../src/cli/errors.ts';
import { helpText, optionsReference } from '../../src/cli/help.ts';
import { OPTIONS } from '../../src/cli/options.ts';
import { parse } from '../../src/cli/parse.ts';
import { DEFAULT_VIEW } from '../../src/cli/view-options.ts';
import { type Config, DEFAULT_CONFIG } from '../../src/config.ts';
import { nearest } from '../../src/nearest.ts';
import { DEFAULT_PREFERENCES, type PreferenceName } from '../../src/preferences.ts';

const directory = mkdtempSync(join(tmpdir(), 'flowpatrol-options-'));
after(() => rmSync(directory, { recursive: true }));

const words = (line: string): string[] => line.split(' ').filter((word) => word !== '');
const base: Config = { ...DEFAULT_CONFIG, scriptDirectories: ['/scripts'], interfaces: ['a'] };

/** The message, and the hint after a bar. */
function errorOf(args: readonly string[]): string {
  try {
    parse(args, '/scripts');
  } catch (error) {
    assert.ok(error instanceof CommandError, String(error));
    assert.equal(error.exitCode, 2);
    return error.hint === '' ? error.message : `${error.message} | ${error.hint}`;
  }
  return 'no error';
}

const good: readonly [string, Partial<Config>][] = [
  ['-i a', {}],
  ['-i a --interface b -i -', { interfaces: ['a', 'b', '-'] }],
  ['-ia', {}],
  ['--interface=a', {}],
  ['-i a -m 192.0.2.0/24,2001:db8::/32', { localNetworks: ['192.0.2.0/24', '2001:db8::/32'] }],
  ['-i a -m 192.0.2.1 -m 198.51.100.0/24', { localNetworks: ['192.0.2.1', '198.51.100.0/24'] }],
  ['-i a -X 16', { maxFlows: 16 }],
  ['-i a --max-flows 5000000', { maxFlows: 5_000_000 }],
  ['-i a --max-num-flows 100', { maxFlows: 100 }],
  ['-i a -d store', { dataDirectory: resolve('store') }],
  ['-i a --shutdown-when-done --original-speed', { shutdownWhenDone: true, originalSpeed: true }],
  ['-i a --visit-period 1 --max-idle 3600', { preferences: { housekeeping_frequency: 1, flow_max_idle: 3600 } }],
  [
    '-i a --pref ssl_alerts=on --pref dns_servers=10.0.0.1,10.1.0.0/16',
    { preferences: { ssl_alerts: true, dns_servers: '10.0.0.1, 10.1.0.0/16' } },
  ],
  ['-i a --pref elephant_flow_local_to_remote_bytes=2M', { preferences: { elephant_flow_local_to_remote_bytes: 2 << 20 } }],
  [
    '-i a --geo x --geo /y --host-pools p --device-policy q',
    { geoFiles: [resolve('x'), '/y'], hostPools: resolve('p'), devicePolicy: resolve('q') },
  ],
  ['-i a --ids-alerts eve.json --ids-alerts udp:[::1]:5514', { idsAlerts: [resolve('eve.json'), 'udp:[::1]:5514'] }],
  ['-i a --resolve-names --capture-threads 4', { resolveNames: true, captureThreads: 4 }],
  [
    '-i a --list mining:hosts:x --list https://lists.example.org/bad.txt',
    {
      lists: [
        { name: 'x', category: 99, format: 'hosts', from: resolve('x') },
        { name: 'lists.example.org_bad', category: 100, format: 'auto', from: 'https://lists.example.org/bad.txt' },
      ],
    },
  ],
  ['-i a --dpi-packets 8', { dpiPackets: { tcp: 8, udp: 8 } }],
  ['-i a --dpi-packets tcp:20,udp:4', { dpiPackets: { tcp: 20, udp: 4 } }],
  ['-i a --dpi-packets udp:4', { dpiPackets: { tcp: 12, udp: 4 } }],
  ['-i a --detail-wait 0', { preferences: { detail_wait: 0 } }],
  ['-i a --pcap-callbacks all', { pcapCallbacks: 'all' }],
  ['-i a --scripts-dir x --scripts-dir /y', { scriptDirectories: [resolve('x'), '/y'] }],
  [
    '-i a --blacklist x --blacklist /y',
    {
      lists: [
        { name: 'x', category: 100, format: 'auto', from: resolve('x') },
        { name: 'y', category: 100, format: 'auto', from: '/y' },
      ],
    },
  ],
  ['-i a --snap-length 128 --no-promiscuous --buffer-size 2M', { snapLength: 128, promiscuous: false, bufferBytes: 2 << 20 }],
  ['-i a --open gre,vxlan', { openGtp: false, openGre: true, openVxlan: true }],
  ['-i a --open none', { openGtp: false }],
  ['-i a --export-flows - --export-alerts f', { exportFlows: '-', exportAlerts: resolve('f') }],
  ['-i a --log-format json', { logFormat: 'json' }],
  ['-i a --no-dpi --no-scripts --log-level debug', { dpi: false, scripts: false, logLevel: 'debug' }],
];

for (const [line, expected] of good) {
  test(`flowpatrol ${line}`, () => {
    assert.deepEqual(parse(words(line), '/scripts'), { command: 'run', config: { ...base, ...expected } });
  });
}

const bad: readonly [string, string][] = [
  ['--max-flow 5 -i a', "unknown option '--max-flow' | did you mean --max-flows?"],
  ['--nonsense', "unknown option '--nonsense' | flowpatrol --help shows the options"],
  ['-i', "option '-i, --interface' needs a value | flowpatrol --help shows the options"],
  ['-X 5', "-X: '5' is not a whole number from 16 to 5,000,000"],
  ['-i a -X many', "-X: 'many' is not a whole number from 16 to 5,000,000 | for example -X 1000000"],
  ['-i a -X 1e6', "-X: '1e6' is not a whole number from 16 to 5,000,000 | for example -X 1000000"],
  ['-i a -X -20', "-X: '-20' is not a whole number from 16 to 5,000,000 | for example -X 1000000"],
  ['-i a --visit-period 61', "--visit-period: '61' is not a whole number from 1 to 60"],
  ['-i a --max-idle 0', "--max-idle: '0' is not a whole number from 1 to 3,600"],
  ['-i a --buffer-size 4X', "--buffer-size: '4X' is not a whole number from 65536 to 2047M | for example --buffer-size 32M"],
  ['-i a --dpi-packets 0', "--dpi-packets: '0' is neither a number from 1 to 250 nor tcp:N,udp:N | for example --dpi-packets tcp:12,udp:8"],
  [
    '-i a --dpi-packets sctp:3',
    "--dpi-packets: 'sctp:3' is neither a number from 1 to 250 nor tcp:N,udp:N | for example --dpi-packets tcp:12,udp:8",
  ],
  ['-i a --pcap-callbacks al', "--pcap-callbacks: 'al' is not one of protocolDetected, all | did you mean all?"],
  ['-i a --log-level inf', "--log-level: 'inf' is not one of debug, info, warn, error | did you mean info?"],
  ['-i a --open gra', "--open: 'gra' is not one of gtp, gre, vxlan, none | did you mean gre?"],
  ['-i a -m 10.0.0.0/33', "-m: '10.0.0.0/33' is neither an address nor a network | for example -m 192.168.0.0/16,10.0.0.0/8"],
  ['-i a -m ,', '-m: no network given | for example -m 192.168.0.0/16,10.0.0.0/8'],
  ['-i a -w no', "-w: 'no' is neither a port nor ADDRESS:PORT | for example -w 3000, -w 0.0.0.0:3000, -w 0 for none"],
  ['-i a -w 70000', "-w: '70000' is neither a port nor ADDRESS:PORT | for example -w 3000, -w 0.0.0.0:3000, -w 0 for none"],
  ['-i a -w [x]:1', "-w: '[x]:1' is neither a port nor ADDRESS:PORT | for example -w 3000, -w 0.0.0.0:3000, -w 0 for none"],
  ['-i a --tls-key x', '--tls-key is given without --tls-cert | HTTPS needs both'],
  ['-i a --tls-cert x --tls-key y --tls-self-signed', '--tls-cert and --tls-self-signed exclude each other | give one of them'],
  ['-i - -i -', '-i - is given twice: standard input can be read once'],
  ['-i a -i a', '-i a is given twice'],
  ['-i a -B x -B y', '-B is given 2 times | it can be given once'],
  ['-i a --export-flows - --export-alerts -', '--export-flows and --export-alerts both write to standard output | give one of them a file'],
  [
    '-i a --export-flows /x --export-events /x',
    '--export-flows and --export-events both write to /x | give each of them a file of its own',
  ],
  ['--no-dpi', 'nothing to look at: no -i given | -i eth0 for an interface (flowpatrol interfaces lists them), -i FILE for a capture'],
  ['interface', "unknown command 'interface' | did you mean interfaces?"],
  ['web.pcap', "unknown command 'web.pcap' | interfaces and capture files follow -i: did you mean -i web.pcap?"],
  ['interfaces eth0', "'eth0' after interfaces is too much | flowpatrol interfaces"],
  ['flow -i a', "unknown command 'flow' | did you mean flows?"],
  ['help flow', "unknown command 'flow' | did you mean flows?"],
  ['flows', 'nothing to look at: no -i given | flowpatrol flows -i FILE for a capture'],
  ['flows -i a -d x', 'flows has no option -d | flowpatrol help flows shows its options'],
  ['-i a --sort bytes', '--sort belongs to a command | flowpatrol flows … --sort'],
  ['top', 'top needs the data directory | flowpatrol top -d DIR, with the DIR that the run was given'],
  ['prefs set a b c -d x', "'c' after prefs is too much | flowpatrol prefs [list | get NAME | set NAME VALUE | reset NAME] -d DIR"],
  ['top -d x -n 0', "-n: '0' is not a whole number from 1 to 10,000"],
  ['-i a --pref flow_max_idle', "--pref: 'flow_max_idle' is not of the form NAME=VALUE | for example --pref flow_max_idle=30"],
  ['-i a --pref flow_max_idel=3', "--pref: there is no preference 'flow_max_idel' | did you mean flow_max_idle?"],
  ['-i a --pref flow_max_idle=0', "--pref: flow_max_idle: '0' is not a whole number from 1 to 3600 (s)"],
  ['-i a --list ip:x', "--list: 'ip:x': 'ip' is not a category | the category comes first: malware:ip:x"],
  ['-i a --ids-alerts udp:5514', '--ids-alerts: udp:5514 lacks the address to listen on | write udp:127.0.0.1:5514, or udp:[::1]:5514'],
  ['-i a --capture-threads 65', "--capture-threads: '65' is not a whole number from 1 to 64"],
  ['-i a --config /nowhere/at/all', '--config: /nowhere/at/all cannot be read (ENOENT)'],
];

for (const [line, expected] of bad) {
  test(`flowpatrol ${line}: ${expected}`, () => assert.equal(errorOf(words(line)), expected));
}

test('commands', () => {
  for (const args of [[], ['demo']]) assert.deepEqual(parse(args, '/scripts'), { command: 'demo' });
  assert.deepEqual(parse(['interfaces'], '/scripts'), { command: 'interfaces', view: DEFAULT_VIEW });
  for (const args of [['help'], ['--help'], ['-h'], ['-i', 'a', '--help']]) {
    assert.deepEqual(parse(args, '/scripts'), { command: 'help', topic: '' });
  }
  for (const args of [
    ['help', 'top'],
    ['top', '--help'],
    ['-h', 'top'],
  ]) {
    assert.deepEqual(parse(args, '/scripts'), { command: 'help', topic: 'top' });
  }
  assert.deepEqual(parse(['help', 'options'], '/scripts'), { command: 'help', topic: 'options' });
  for (const args of [['--version'], ['-V'], ['version']]) assert.deepEqual(parse(args, '/scripts'), { command: 'version' });
});

test('flows: settings of a run, without scripts unless a folder is named, and how to show', () => {
  const parsed = parse(
    [
      'flows',
      '-i',
      'a',
      '-B',
      'tcp',
      '--filter',
      ' bytes > 1K ',
      '--sort',
      'duration',
      '--reverse',
      '-n',
      '7',
      '--columns',
      'client, bytes',
      '--wide',
    ],
    '/scripts',
  );
  assert.deepEqual(parsed, {
    command: 'flows',
    config: { ...base, filter: 'tcp', scripts: false },
    view: { ...DEFAULT_VIEW, filter: 'bytes > 1K', sort: 'duration', reverse: true, limit: 7, columns: ['client', 'bytes'], wide: true },
  });
  const asked = parse(['flows', '-i', 'a', '--scripts-dir', '/mine'], '/scripts');
  assert.ok(asked.command === 'flows' && asked.config.scripts);
});

test('top and prefs: the data directory, also from a configuration file, of which they take no more', () => {
  const file = join(directory, 'service.conf');
  writeFileSync(file, 'interface = eth0\nmax-flows = 100\ndata-dir = /var/lib/flowpatrol\n');
  assert.deepEqual(parse(['top', '--config', file, '--interval', '5', '--once'], '/scripts'), {
    command: 'top',
    directory: '/var/lib/flowpatrol',
    view: { ...DEFAULT_VIEW, interval: 5, once: true },
  });
  assert.deepEqual(parse(['prefs', 'set', 'flow_max_idle', '9', '-d', '/x', '--json'], '/scripts'), {
    command: 'prefs',
    directory: '/x',
    words: ['set', 'flow_max_idle', '9'],
    view: { ...DEFAULT_VIEW, json: true },
  });
  const doctor = parse(['doctor', '--json', '-i', 'a'], '/scripts');
  assert.deepEqual(doctor, { command: 'doctor', config: base, view: { ...DEFAULT_VIEW, json: true } });
});

test('the last word on a preference is that of the command line', () => {
  const file = join(directory, 'prefs.conf');
  writeFileSync(file, 'interface = a\npref = flow_max_idle=30\npref = ssl_alerts=on\nmax-idle = 20\n');
  const of = (...args: string[]): unknown => {
    const parsed = parse(['--config', file, ...args], '/scripts');
    return parsed.command === 'run' ? parsed.config.preferences : undefined;
  };
  assert.deepEqual(of('--max-idle', '40'), { flow_max_idle: 40, ssl_alerts: true });
  assert.deepEqual(of('--pref', 'flow_max_idle=50'), { flow_max_idle: 50 });
});

test('a filter is one argument, spaces and all', () => {
  assert.deepEqual(parse(['-i', 'a', '-B', ' tcp port 80 '], '/scripts'), { command: 'run', config: { ...base, filter: 'tcp port 80' } });
});

test('the configuration file: every form of a line; the command line wins', () => {
  const file = join(directory, 'office.conf');
  writeFileSync(
    file,
    [
      '# the office',
      '',
      'interface = b   # the second',
      '-i=c',
      '--packet-filter="port 53 or port 80 # not a comment"',
      'max-flows=200',
      'promiscuous = no',
      'scripts = yes',
      'no-dpi',
      'shutdown-when-done = off',
      '  local-networks = 192.0.2.0/24, 198.51.100.0/24  ',
    ].join('\r\n'),
  );
  const expected: Config = {
    ...base,
    interfaces: ['b', 'c'],
    filter: 'port 53 or port 80 # not a comment',
    maxFlows: 200,
    promiscuous: false,
    dpi: false,
    localNetworks: ['192.0.2.0/24', '198.51.100.0/24'],
  };
  assert.deepEqual(parse(['--config', file], '/scripts'), { command: 'run', config: expected });
  assert.deepEqual(parse(['--config', file, '-i', 'a', '-X', '300'], '/scripts'), {
    command: 'run',
    config: { ...expected, interfaces: ['a'], maxFlows: 300 },
  });
});

const badLines: readonly [string, string][] = [
  ['max-flow = 3', "x.conf:2: unknown option 'max-flow' | did you mean max-flows?"],
  ['max-flows', 'x.conf:2: max-flows needs a value | max-flows = N'],
  ['no-dpi = perhaps', "x.conf:2: 'perhaps' is neither yes nor no"],
  ['config = other', 'x.conf:2: config is for the command line only'],
  ['= 3', "x.conf:2: '= 3' is not of the form name = value"],
  ['-q=3', "x.conf:2: unknown option 'q'"],
];

for (const [line, expected] of badLines) {
  test(`configuration file, ${line}`, () => {
    assert.throws(
      () => parseConfigurationFile(`# one\n${line}\n`, 'x.conf'),
      (error: CommandError) => (error.hint === '' ? error.message : `${error.message} | ${error.hint}`) === expected,
    );
  });
}

test('a bad value in the file is reported with its line', () => {
  const file = join(directory, 'bad.conf');
  writeFileSync(file, 'interface = a\nmax-flows = 3\n');
  assert.equal(errorOf(['--config', file]), `${file}:2: max-flows: '3' is not a whole number from 16 to 5,000,000`);
});

test('the help fits a screen of 40 lines; no help is wider than 80 columns', () => {
  assert.ok(helpText().trimEnd().split('\n').length <= 40);
  for (const topic of ['', 'options', ...COMMANDS.map(({ name }) => name)] as const) {
    for (const line of helpText(topic).split('\n')) assert.ok(line.length <= 80, `${topic}: ${line}`);
  }
  for (const option of OPTIONS) assert.ok(helpText('options').includes(`--${option.name}`), option.name);
  for (const { name, options } of COMMANDS) {
    assert.ok(helpText().includes(`flowpatrol ${name}`), name);
    for (const option of options) assert.ok(helpText(name).includes(`--${option}`), `${name} ${option}`);
  }
});

test('commands take options that there are, and their examples are right', () => {
  for (const { name, options, examples } of COMMANDS) {
    for (const option of options)
      assert.ok(
        ALL_OPTIONS.some((known) => known.name === option),
        `${name}: ${option}`,
      );
    for (const [line] of examples) {
      const args = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => (quoted ?? word) as string);
      assert.equal(parse([name, ...args], '/scripts').command, name, line);
    }
  }
});

test('the reference names every option once, with its default', () => {
  const reference = optionsReference();
  for (const option of ALL_OPTIONS) {
    const row = reference.split('\n').filter((line) => new RegExp(`^\\| \`(-., )?--${option.name}[\` ]`).test(line));
    assert.equal(row.length, 1, option.name);
    if (option.default !== '') assert.ok(row[0]?.includes(`\`${option.default}\``), option.name);
  }
});

test('names and letters are unique, and every default is what the option itself would read', () => {
  const names = ALL_OPTIONS.flatMap((option) => [option.name, ...(option.aliases ?? [])]);
  const letters = ALL_OPTIONS.flatMap((option) => option.short ?? []);
  assert.equal(new Set(names).size, names.length);
  assert.equal(new Set(letters).size, letters.length);
  for (const option of OPTIONS.filter((declared) => declared.default !== '')) {
    const text = /^[\d,]+$/.test(option.default) ? option.default.replaceAll(',', '') : option.default;
    for (const [key, value] of Object.entries(option.read([text], `--${option.name}`))) {
      if (key === 'preferences')
        for (const [name, of] of Object.entries(value)) assert.equal(of, DEFAULT_PREFERENCES[name as PreferenceName]);
      else assert.deepEqual(value, DEFAULT_CONFIG[key as keyof Config], option.name);
    }
  }
});

test('nearest: small mistakes are forgiven, large ones not', () => {
  assert.equal(nearest('ehto', ['lo', 'eth0']), undefined);
  assert.equal(nearest('eth1', ['lo', 'eth0']), 'eth0');
  assert.equal(nearest('xyzzy', ['lo', 'eth0']), undefined);
  assert.equal(nearest('wlan', ['wlan0mon', 'eth0']), 'wlan0mon');
});
