/** The scripts that come with the project, on events with the real fields. */
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Callback } from '../../src/flows/event.ts';
import { FIELDS } from '../../src/flows/fields.ts';
import { createEventView, type Names } from '../../src/flows/view.ts';
import { DEFAULT_PREFERENCES } from '../../src/preferences.ts';
import { createScriptCache } from '../../src/scripts/cache.ts';
import { createScriptFiles } from '../../src/scripts/files.ts';
import { createScriptHost, type ScriptAlert, type ScriptHost } from '../../src/scripts/host.ts';
import { type EventOf, event, NAMES } from '../support/events.ts';
import { script, start } from './support.ts';

const DIRECTORY = join(dirname(fileURLToPath(import.meta.url)), '../../scripts/callbacks/interface/alerts/flow');
const PROTOCOLS = NAMES.protocols.with(1, 'FTP_CONTROL');
const RISKS = NAMES.risks.with(36, 'Clear-Text Credentials');
const EXAMPLE_NAMES: Names = { ...NAMES, protocols: PROTOCOLS, risks: RISKS };

interface Run {
  readonly host: ScriptHost;
  readonly lines: string[];
  readonly alerts: (ScriptAlert & { readonly flow: number })[];
  run(callback: Callback, of: EventOf): void;
}

async function examples(t: TestContext): Promise<Run> {
  const lines: string[] = [];
  const alerts: (ScriptAlert & { readonly flow: number })[] = [];
  const host = await createScriptHost({
    directories: [DIRECTORY],
    interfaceId: 0,
    interfaceName: 'eth0',
    live: false,
    names: EXAMPLE_NAMES,
    preferences: () => DEFAULT_PREFERENCES,
    cache: createScriptCache({ now: () => 0 }),
    translate: () => undefined,
    sink: {
      alert: (alert, view) => alerts.push({ ...alert, flow: view.seq() }),
      print: (_, line) => lines.push(line),
      error: (key, callback, message) => assert.fail(`${key} ${callback} ${message}`),
      changes: () => undefined,
      loaded: () => undefined,
      switched: () => undefined,
    },
  });
  host.change(createScriptFiles([DIRECTORY], () => undefined).scan());
  t.after(() => host.close());
  const view = createEventView(EXAMPLE_NAMES);
  return {
    host,
    lines,
    alerts,
    run(callback, of) {
      view.set(event({ client: '10.0.0.1', server: '192.0.2.7', clientPort: 4000, l4: 6, ...of }, EXAMPLE_NAMES), 0);
      host.run(view, callback);
    },
  };
}

test('the examples load and use all four callbacks between them', async (t) => {
  const { host } = await examples(t);
  assert.deepEqual(
    host.reports().map((report) => [report.key, report.state, report.callbacks]),
    [
      ['clear_text_login', 'on', ['protocolDetected']],
      ['dns_exfiltration', 'on', ['protocolDetected']],
      ['flow_watch', 'on', ['statusChanged', 'periodicUpdate', 'idle']],
    ],
  );
});

test('a login in clear text is told once per client, server and protocol', async (t) => {
  const { alerts, lines, run } = await examples(t);
  run('protocolDetected', { serverPort: 21, application: 'FTP_CONTROL' });
  run('protocolDetected', { serverPort: 21, application: 'FTP_CONTROL' });
  run('protocolDetected', { serverPort: 80, application: 'HTTP' });
  run('protocolDetected', { serverPort: 80, application: 'HTTP', risks: [36, 3], seq: 9 });
  assert.deepEqual(lines, [
    'FTP sends passwords in clear text: [TCP] 10.0.0.1:4000 -> 192.0.2.7:21 [FTP_CONTROL]',
    'HTTP sends passwords in clear text: [TCP] 10.0.0.1:4000 -> 192.0.2.7:80 [HTTP]',
  ]);
  assert.deepEqual(
    alerts.map((alert) => [alert.script, alert.alertTypeName, alert.severityName, alert.info, alert.flow]),
    [
      ['clear_text_login', 'potentially_dangerous_protocol', 'warning', '{"protocol":"FTP"}', 0],
      ['clear_text_login', 'potentially_dangerous_protocol', 'warning', '{"protocol":"HTTP"}', 9],
    ],
  );
});

test('random names below one domain make one alert, ordinary long ones none', async (t) => {
  const { alerts, run } = await examples(t);
  const ask = (name: string): void =>
    run('protocolDetected', {
      l4: 17,
      serverPort: 53,
      application: 'DNS',
      details: { host_server_name: name, 'dns.query_type': 1 },
    });
  for (let i = 0; i < 5; i++) ask('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.www.example.org');
  for (let i = 0; i < 5; i++) ask(`7.2.0.192.in-addr.arpa`);
  assert.equal(alerts.length, 0);
  for (let i = 0; i < 5; i++) ask(`mzxw6ytboi2dknrtgqzdcmrt${i}.gezdgnbvgy3tqojqpfxxk4q.evil.example`);
  assert.equal(alerts.length, 1);
  assert.equal(
    alerts[0]?.info,
    '{"domain":"evil.example","names":3,"query":"mzxw6ytboi2dknrtgqzdcmrt2.gezdgnbvgy3tqojqpfxxk4q.evil.example"}',
  );
});

test('flow_watch tells statuses that come and go, running totals, and how flows end', async (t) => {
  const { alerts, lines, run } = await examples(t);
  const flow: EventOf = { serverPort: 443, application: 'TLS', seq: 5 };
  run('statusChanged', { ...flow, status: 1 << 4 });
  run('statusChanged', { ...flow, status: 1 << 13, statusBefore: 1 << 4 });
  run('periodicUpdate', { ...flow, first: 1e6, last: 361e6, cli2srv: { lengths: [100, 60] } });
  run('idle', { ...flow, cli2srv: { lengths: [60] } });
  run('idle', { ...flow, cli2srv: { lengths: Array<number>(70_000).fill(1514) }, srv2cli: { lengths: [60] }, first: 1e6, last: 11e6 });
  const label = '[TCP] 10.0.0.1:4000 -> 192.0.2.7:443 [TLS]';
  assert.deepEqual(lines, [
    `Low Goodput: ${label}`,
    `Blacklisted: ${label}`,
    `no longer Low Goodput: ${label}`,
    `still there after 6 min, 160 bytes: ${label}`,
    `no answer: ${label}`,
    `upload of 101 MiB: ${label}`,
  ]);
  assert.deepEqual(
    alerts.map((alert) => [alert.alertTypeName, alert.info]),
    [['flow_misbehaviour', '{"bytes":105980000,"seconds":10}']],
  );
});

test('every real field reads the same alone, after it was learnt, and from the whole table', async (t) => {
  const names = FIELDS.map((field) => JSON.stringify(field.key)).join(', ');
  // `get` is how the value of a key is come by.
  const show = (prepare: string, get: string): string => `${prepare}
local text = ""
for _, k in ipairs { ${names} } do
  local v = ${get}
  text = text .. k .. "=" .. (type(v) == "table" and "table" or tostring(v)) .. ";"
end
print(text)`;
  const { errors, lines, host } = await start(
    t,
    {
      'alone.lua': script('alone', 'idle', show('', 'info[k]')),
      'whole.lua': script('whole', 'protocolDetected', show('local t = {} for k, v in pairs(info) do t[k] = v end', 't[k]')),
    },
    { fields: FIELDS },
  );
  const view = createEventView(NAMES);
  const bytes = event({
    client: '10.0.0.1',
    server: '192.0.2.7',
    clientPort: 4000,
    serverPort: 443,
    l4: 6,
    application: 'TLS',
    risks: [3],
    cli2srv: { lengths: [60, 1514], goodput: 1400, flags: 27 },
    srv2cli: { lengths: [60] },
    details: { host_server_name: 'www.example.org', 'tls.version': 771, 'tls.ja3_client': 'abc' },
  });
  view.set(bytes, 0);
  host.run(view, 'protocolDetected');
  for (let i = 0; i < 30; i++) host.run(view, 'idle');
  assert.deepEqual(errors, []);
  assert.equal(lines.length, 31);
  assert.equal(new Set(lines).size, 1);
  assert.match(lines[0] ?? '', /;srv\.port=443;.*protos\.ssl_version=771;/);
});
