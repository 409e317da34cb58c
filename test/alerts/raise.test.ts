/** Alerts made of events: every field at that moment, proper text, severities of all generations, the core's alerts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { raisedByCore, raisedByScript } from '../../src/alerts/raise.ts';
import { alertTranslator, wordsOf } from '../../src/alerts/words.ts';
import { E_ALERT, E_ALERT_NOW } from '../../src/flows/event.ts';
import { FACT_IDS_SEVERE, R_FACTS, STATE_ALERTED, STATE_SERVER_BLACKLISTED } from '../../src/flows/record.ts';
import { createEventView, type EventView } from '../../src/flows/view.ts';
import type { ScriptAlert } from '../../src/scripts/host.ts';
import { type EventOf, event, NAMES } from '../support/events.ts';

const FLOW: EventOf = {
  time: 1_767_225_600_123_456,
  visit: 7,
  client: '10.0.0.1',
  server: '192.0.2.1',
  clientPort: 50_000,
  serverPort: 443,
  l4: 6,
  seq: 12,
  status: 64,
  statusBefore: 2,
  application: 'TLS',
  details: { host_server_name: Buffer.from('bücher.example', 'utf8') },
};

function viewOf(of: EventOf = FLOW): EventView {
  const view = createEventView(NAMES);
  view.set(event(of), 0);
  return view;
}

const alert = (of: Partial<ScriptAlert> = {}): ScriptAlert => ({
  script: 'watch',
  version: 'abc',
  callback: 'statusChanged',
  shadow: false,
  reason: { host_server_name: Buffer.from('bücher.example', 'utf8').toString('latin1') },
  alertType: 3,
  alertTypeName: 'suspicious_activity',
  severity: 1,
  severityName: 'warning',
  ...of,
});

test('an alert of a script has where it comes from, all fields of the flow, and proper text', () => {
  const { flow, ...rest } = raisedByScript(alert({ info: JSON.stringify({ who: 'Zoë' }), score: 70, status: 6 }), viewOf());
  assert.deepEqual(rest, {
    time: 1_767_225_600_123_456,
    interface: 'eth0',
    type: 'suspicious_activity',
    severity: 'warning',
    score: 70,
    script: 'watch',
    version: 'abc',
    callback: 'statusChanged',
    visit: 7,
    statusBefore: 2,
    status: 64,
    forStatus: 6,
    info: { who: 'Zoë' },
    reason: { host_server_name: 'bücher.example' },
    shadow: false,
  });
  assert.deepEqual(
    [flow['cli.ip'], flow['srv.port'], flow['proto.ndpi'], flow.host_server_name, flow['flow.id'], flow['cli.network']],
    ['10.0.0.1', 443, 'TLS', 'bücher.example', 'k3x9-0-12', undefined],
  );
  assert.doesNotThrow(() => structuredClone(rest));
});

test('texts that are no JSON stay texts, and long ones are cut', () => {
  assert.equal(raisedByScript(alert({ info: '{broken' }), viewOf()).info, '{broken');
  assert.equal(raisedByScript(alert({ info: Buffer.from('größe').toString('latin1') }), viewOf()).info, 'größe');
  assert.equal((raisedByScript(alert({ info: `"${'x'.repeat(1e6)}"` }), viewOf()).info as string).length, 65_537);
  assert.equal('info' in raisedByScript(alert(), viewOf()), false);
});

test('severities of both generations, and scores of those that have none', () => {
  const of = (severity: number, severityName?: string, score?: number): unknown[] => {
    const { severityName: _, ...rest } = alert();
    const made = raisedByScript(
      { ...rest, severity, ...(severityName === undefined ? {} : { severityName }), ...(score === undefined ? {} : { score }) },
      viewOf(),
    );
    return [made.severity, made.score];
  };
  assert.deepEqual(of(2, 'emergency'), ['emergency', 500]);
  assert.deepEqual(of(0), ['info', 10]);
  assert.deepEqual(of(1), ['warning', 50]);
  assert.deepEqual(of(2), ['error', 100]);
  assert.deepEqual(of(99, 'none'), ['error', 100]);
  assert.deepEqual(of(-1), ['info', 10]);
  assert.deepEqual(of(Number.NaN), ['info', 10]);
  assert.deepEqual(of(1, 'warning', 5000), ['warning', 1000]);
  assert.deepEqual(of(1, 'warning', Number.NaN), ['warning', 50]);
});

test('a type without a name is its number', () => {
  const { alertTypeName: _, ...rest } = alert({ alertType: 4711 });
  assert.equal(raisedByScript(rest, viewOf()).type, '4711');
});

function coreView(status: number, facts = 0, state = 0): EventView {
  const bytes = event({ ...FLOW, status: 2 ** status, state: STATE_ALERTED | state, record: { u32: { [R_FACTS]: facts } } });
  bytes[E_ALERT] = status;
  bytes[E_ALERT_NOW] = 1;
  const view = createEventView(NAMES);
  view.set(bytes, 0);
  return view;
}

test("the core's alert has type and severity of its status, and the fields that say why", () => {
  const made = raisedByCore(coreView(13, 0, STATE_SERVER_BLACKLISTED));
  assert.deepEqual(
    [made.script, made.type, made.severity, made.score, made.forStatus, made.callback, made.version],
    ['core', 'flow_blacklisted', 'error', 100, 13, '', ''],
  );
  assert.deepEqual(made.reason, { 'cli.blacklisted': false, 'srv.blacklisted': true, 'proto.ndpi_cat': 'Unspecified' });
  assert.equal((made.info as Record<string, unknown>)['blacklisted.srv'], true);
});

test('what an intrusion detection system rates highest is an error', () => {
  assert.equal(raisedByCore(coreView(21)).severity, 'warning');
  assert.equal(raisedByCore(coreView(21, FACT_IDS_SEVERE)).severity, 'error');
});

test('titles and descriptions are in the language of the run', () => {
  const core = raisedByCore(coreView(13, 0, STATE_SERVER_BLACKLISTED));
  const words = (language: string): string => Object.values(wordsOf(core, alertTranslator(language))).join(' | ');
  const ends = '10.0.0.1:50000 → 192.0.2.1:443 (TLS)';
  assert.equal(words('en'), `Blacklisted | ${ends}: cli.blacklisted no, srv.blacklisted yes, proto.ndpi_cat Unspecified`);
  assert.match(words('de'), /: cli\.blacklisted nein, srv\.blacklisted ja/);
  assert.match(words('it-IT'), /: cli\.blacklisted no, srv\.blacklisted sì/);
  assert.notEqual(wordsOf(core, alertTranslator('de')).title, 'Blacklisted');
});

test('what a script gives is the description; nothing in it breaks the line', () => {
  const say = (info: string, type = 'suspicious_activity'): string =>
    Object.values(wordsOf(raisedByScript(alert({ info, alertTypeName: type }), viewOf()), alertTranslator('en'))).join(' | ');
  assert.match(say('42 ports\r\nin 3 s'), /^Suspicious activity \| .*: 42 ports in 3 s$/);
  assert.match(say('{"ports":42,"deep":{"a":1}}'), /: ports 42, deep \{"a":1\}$/);
  assert.match(say(JSON.stringify(Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`k${i}`, i])))), /k5 5, 3 more$/);
  assert.match(say('x', '4711'), /^Alert 4711 \| /);
  assert.ok(say('y'.repeat(5000)).length < 700);
});
