/** `flowpatrol record`, `replay` and `explain`: the same again, what a change would make, and why. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { type CliRun, runCli } from '../support/run-cli.ts';

const DEMO = resolve(import.meta.dirname, '../captures/demo.pcap');
const directory = mkdtempSync(join(tmpdir(), 'flowpatrol-replay-'));
after(() => rmSync(directory, { recursive: true }));

const is = ({ status, stdout, stderr }: CliRun, code: number): string => {
  assert.equal(status, code, stdout + stderr);
  return stdout;
};

/** Remembers over flows, keeps in the cache, sees what an earlier script wrote, sets a status. */
const RULE = `
local script = { key = "rule", prio = 1, gui = { i18n_title = "Rule", i18n_description = "" } }
local flows = 0
function script.setup() return true end
function script.protocolDetected(info)
  flows = flows + 1
  ntop.setCache("rule.last", info["cli.ip"])
  if flows % 20 == 0 then
    alerts_api.storeFlowAlert(alert_consts.alert_types.suspicious_activity, alert_consts.alert_severities.warning, { flows = flows, mark = info.mark })
    flow.setStatus(flow_consts.status_types.status_web_mining_detected, 20, 10, 5)
  end
end
function script.idle(info)
  if ntop.getCache("rule.last") == "" then error("nothing kept") end
  if flow.isStatusSet(flow_consts.status_types.status_web_mining_detected) then print("it was set") end
end
return script
`;
const FIRST = `
local script = { key = "first", prio = 10, gui = { i18n_title = "First", i18n_description = "" } }
function script.setup() return true end
function script.protocolDetected(info) info.mark = "seen" end
return script
`;
const UDP_ONLY = `
local script = { key = "udp_only", prio = -1, l4_proto = "udp", hooks = {}, gui = { i18n_title = "UDP", i18n_description = "" } }
function script.setup() return true end
function script.hooks.protocolDetected(now) end
return script
`;
const recording = join(directory, 'demo.fpr');
const changed = (name: string, from: string | RegExp, to: string): string => {
  const path = join(directory, name);
  writeFileSync(path, RULE.replace(from, to));
  return path;
};
const folder = (): string => {
  const scripts = mkdtempSync(join(directory, 'scripts-'));
  for (const [name, text] of Object.entries({ first: FIRST, rule: RULE, udp_only: UDP_ONLY }))
    writeFileSync(join(scripts, `${name}.lua`), text);
  return scripts;
};
const summary = (of: string): string[] => of.trimEnd().split('\n').slice(-2);

before(() => {
  const scripts = folder();
  for (const file of [recording, `${recording}.gz`]) {
    const run = runCli(['record', '-i', DEMO, '--pcap-callbacks', 'all', '--scripts-dir', scripts, '-o', file]);
    assert.equal(run.status, 0, run.stderr);
    assert.match(run.stderr, /\nRecording: \S+, \d/);
  }
});

test('unchanged scripts do the same again, plain and compressed', () => {
  const same = ['6 the same, 0 new, 0 gone, 0 changed'];
  for (const file of [recording, `${recording}.gz`]) assert.deepEqual(summary(is(runCli(['replay', file]), 0)).slice(1), same);
  const path = changed('same.lua', '', '');
  assert.deepEqual(summary(is(runCli(['replay', recording, '--script', path]), 0)), [
    '270 events, rule: 6 alerts then, 6 now',
    '6 the same, 0 new, 0 gone, 0 changed',
  ]);
});

test('a live interface too, byte for byte: also the order of hashes, which is another in every run', () => {
  const scripts = mkdtempSync(join(directory, 'scripts-'));
  writeFileSync(
    join(scripts, 'order.lua'),
    `local script = { key = "order", gui = { i18n_title = "Order", i18n_description = "" } }
    function script.setup() return true end
    function script.idle(info)
      local all, order = {}, {}
      for i = 1, 30 do all["key" .. i] = i end
      for key in pairs(all) do order[#order + 1] = key end
      print(table.concat(order, " "))
      alerts_api.storeFlowAlert(alert_consts.alert_types.web_mining, alert_consts.alert_severities.info, { random = math.random(1 << 50) })
    end
    return script`,
  );
  const file = join(directory, 'live.fpr');
  const capture = resolve(import.meta.dirname, '../captures/tls-1.1.pcap');
  is(runCli(['record', '-i', capture, '--original-speed', '--scripts-dir', scripts, '-o', file]), 0);
  assert.deepEqual(
    is(runCli(['replay', file]), 0)
      .trimEnd()
      .split('\n')
      .slice(1),
    ['1 the same, 0 new, 0 gone, 0 changed'],
  );
});

test('alerts that come, go and change, each with its packet time and flow; statuses do not feed back', () => {
  const other = is(runCli(['replay', recording, '--script', changed('more.lua', '% 20', '% 10')]), 1);
  assert.match(
    other,
    /^2005-\S+ protocolDetected TCP \S+ -> \S+ \S+: rule\n {2}\+ alert suspicious_activity, warning \{"flows":10,"mark":"seen"\}\n/,
  );
  assert.match(other, /\n6 the same, 6 new, 0 gone, 0 changed\n[\s\S]*they do not\.\n$/);
  const fewer = is(runCli(['replay', recording, '--script', changed('fewer.lua', '% 20', '% 40')]), 1);
  assert.match(fewer, /\n {2}- alert [\s\S]*\n3 the same, 0 new, 3 gone, 0 changed\n/);
  const severe = is(runCli(['replay', recording, '--script', changed('severe.lua', 'severities.warning', 'severities.error')]), 1);
  assert.match(severe, /\n {2}- alert suspicious_activity, warning .*\n {2}\+ alert suspicious_activity, error /);
  const lines = is(runCli(['replay', recording, '--script', join(directory, 'severe.lua'), '--json']), 1)
    .trimEnd()
    .split('\n');
  const [first, last] = [JSON.parse(lines[0] as string), JSON.parse(lines.at(-1) as string)] as [
    { kind: string },
    { summary: { changed: number } },
  ];
  assert.deepEqual([first.kind, last.summary.changed], ['changed', 6]);
});

test('a script against another one; one that was not there', () => {
  const [old, now] = [changed('old.lua', '% 20', '% 40'), changed('now.lua', '% 20', '% 10')];
  assert.match(
    is(runCli(['replay', recording, '--script', now, '--against', old]), 1),
    /\n270 events, rule: 3 alerts then, 12 now\n3 the same, 9 new/,
  );
  const own = changed('own.lua', 'key = "rule"', 'key = "own"');
  assert.match(is(runCli(['replay', recording, '--script', own]), 1), /\n270 events, own: 0 alerts then, 6 now\n/);
});

test('a script that does not return fails there, is left out from there on, and keeps nobody else from running', () => {
  const forever = '(("a"):rep(40)):find(("a-"):rep(30) .. "b")';
  const stuck = changed('stuck.lua', 'if flows % 20 == 0 then', `if flows == 30 then ${forever} end\n  if flows % 20 == 0 then`);
  const run = runCli(['replay', recording, '--script', stuck]);
  const text = is(run, 1);
  assert.match(run.stderr, /stuck\.lua: protocolDetected of \w+ \S+ -> \S+ \S+ did not return for 200 ms of CPU time/);
  assert.equal(text.match(/\n {2}\+ failed stuck\.lua: did not return/g)?.length ?? 0, 1);
  assert.match(text, /\n270 events, rule: 6 alerts then, 1 now\n1 the same, 0 new, 5 gone, 0 changed\n[\s\S]*\n1 script did not return, /);
  const loads = runCli(['replay', recording, '--script', changed('loads.lua', 'return true', `return ${forever}`)]);
  is(loads, 1);
  assert.match(loads.stderr, /loads\.lua cannot be loaded: loads\.lua: its setup\(\) did not return for 1500 ms of CPU time/);
  const why = is(runCli(['explain', 'flow.id ~ "-"', '--recording', recording, '--script', stuck]), 0);
  assert.equal(why.match(/\n {4}rule +failed: stuck\.lua: did not return for 200 ms of CPU time, /g)?.length, 1);
  assert.match(why, /\n {4}first +called\n {4}udp_only +called\n/); // those after it
});

test('what is cut off is replayed as far as it goes; what cannot be is refused', () => {
  const cut = join(directory, 'cut.fpr');
  copyFileSync(recording, cut);
  truncateSync(cut, Math.floor(readFileSync(recording).length / 2));
  assert.match(is(runCli(['replay', cut]), 0), /\nThe recording is not whole: it was cut off at byte \d+\.\n$/);
  const refused = (args: readonly string[], code: number, why: RegExp): void => {
    const run = runCli(args);
    is(run, code);
    assert.match(run.stderr, why);
  };
  const bad = changed('bad.lua', 'return script', 'return 1 +');
  refused(['replay', recording, '--script', bad], 1, /bad\.lua cannot be loaded: bad\.lua:\d+: /);
  refused(['replay', DEMO], 1, /is no recording of flowpatrol/);
  refused(['replay'], 2, /no recording given/);
  refused(['replay', recording, '--against', bad], 2, /--against needs --script/);
  refused(['record', '-i', DEMO], 2, /no -o FILE given/);
  refused(['record', '-i', DEMO, '-o', bad], 2, /is there already, and is no recording/);
  refused(['record', '-i', DEMO, '-i', bad, '-o', cut], 2, /keeps the events of one interface, and 2 are given/);
});

test('explain: the same of a capture and of its recording', () => {
  const scripts = folder();
  const filter = 'proto == FTP_CONTROL or cli.port == 2712';
  const shape = (text: string): string => text.replaceAll(/\(flow \w+-/g, '(flow ');
  const live = is(runCli(['explain', filter, '-i', DEMO, '--pcap-callbacks', 'all', '--scripts-dir', scripts]), 0);
  assert.equal(
    shape(live),
    `UDP 192.168.1.2:2712 -> 192.168.1.1:53 DNS (flow 0-2)
  2005-07-04T09:32:35.000000Z visit 3 protocolDetected: no statuses
    first     called
    rule      called
    udp_only  called
  2005-07-04T09:33:35.000000Z visit 15 idle: no statuses
    rule  called

TCP 192.168.1.2:2720 -> 147.234.1.253:21 FTP_CONTROL (flow 0-12)
  2005-07-04T09:34:00.000000Z visit 20 protocolDetected: +status_flow_risk
    first     called
    rule      called
    udp_only  not called: its filter (another IP protocol)
  2005-07-04T09:34:15.000000Z visit 23 idle: status_flow_risk
    rule  called
`,
  );
  assert.equal(shape(is(runCli(['explain', filter, '--recording', recording]), 0)), shape(live));
  const set = is(runCli(['explain', 'flow.id ~ "-0-20$"', '--recording', recording]), 0);
  assert.match(set, /rule +called, 1 alert\n {6}alert suspicious_activity, warning .*\n {6}status status_web_mining_detected set\n/);
  assert.match(set, /idle: .*status_web_mining_detected.*\n {4}rule +called\n {6}print it was set\n/);
  const wrong = runCli(['explain', 'proto ==', '--recording', recording]);
  is(wrong, 2);
  assert.equal(runCli(['explain', 'x']).status, 2);
});
