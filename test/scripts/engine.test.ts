import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createScriptFiles } from '../../src/scripts/files.ts';
import { CALL_BUDGET } from '../../src/scripts/lua/budget.ts';
import { script, start, TYPICAL, VISIT_TIME } from './support.ts';

const SKELETON = `local check_module = {
   key = "a_custom_module_name",

   gui = {
      i18n_title = "My Custom Script",
      i18n_description = "This script performs certain custom operations",
      input_builder = alerts_api.flow_checkbox_input_builder,
   }
}


-- #################################################################

function check_module.setup()
  return true
end

-- #################################################################

function check_module.protocolDetected(info)
  -- info contains the output of Flow::lua()
end

-- #################################################################

return check_module
`;

test('the skeleton of the documentation loads as it is printed', async (t) => {
  const { reports, run, errors } = await start(t, { 'skeleton.lua': SKELETON });
  run('protocolDetected');
  run('idle');
  const [report] = reports();
  assert.deepEqual(errors, []);
  assert.equal(report?.key, 'a_custom_module_name');
  assert.equal(report?.title, 'My Custom Script');
  assert.equal(report?.description, 'This script performs certain custom operations');
  assert.equal(report?.state, 'on');
  assert.deepEqual(report?.callbacks, ['protocolDetected']);
  assert.equal(report?.stats.protocolDetected?.calls, 1);
  assert.equal(report?.stats.protocolDetected?.failures, 0);
});

test('each fault of a file is its own error with file and line, and the others run', async (t) => {
  const { reports, lines, errors, run } = await start(t, {
    'a_syntax.lua': 'local x = 1\nlocal = 2\n',
    'b_no_table.lua': 'return 5',
    'c_no_key.lua': 'return { setup = function() return true end }',
    'd_no_setup.lua': 'return { key = "d" }',
    'e_good.lua': script('good', 'protocolDetected', 'print("good " .. info["srv.port"])'),
    'f_duplicate.lua': script('good', 'protocolDetected', 'print("never")'),
    'g_throws.lua': '\n\nerror("broken")',
    'h_setup_throws.lua': 'return { key = "h", setup = function()\n  local x = nil + 1\nend }',
    'i_off.lua': 'return { key = "off", setup = function() return false end, idle = function() end }',
    'j_no_function.lua': 'return { key = "j", setup = function() return true end, idle = 5 }',
    'k_missing_module.lua': 'local x = require("socket")',
    '.hidden.lua': 'error("must not load")',
    'notes.txt': 'not a script',
  });
  run('protocolDetected');
  assert.deepEqual(lines, ['good 80']);
  const errorOf = Object.fromEntries(reports().map((report) => [report.file, report.error]));
  assert.deepEqual(Object.keys(errorOf).sort(), [
    'a_syntax.lua',
    'b_no_table.lua',
    'c_no_key.lua',
    'd_no_setup.lua',
    'e_good.lua',
    'f_duplicate.lua',
    'g_throws.lua',
    'h_setup_throws.lua',
    'i_off.lua',
    'j_no_function.lua',
    'k_missing_module.lua',
  ]);
  assert.match(errorOf['a_syntax.lua'] ?? '', /^a_syntax\.lua:2: .*expected/);
  assert.equal(errorOf['b_no_table.lua'], 'b_no_table.lua: the file must return the table of its script, it returns number');
  assert.equal(errorOf['c_no_key.lua'], 'c_no_key.lua: the script has no `key`');
  assert.equal(errorOf['d_no_setup.lua'], 'd_no_setup.lua: the script has no function `setup`');
  assert.equal(errorOf['e_good.lua'], undefined);
  assert.equal(errorOf['f_duplicate.lua'], 'f_duplicate.lua: the key "good" is taken by e_good.lua');
  assert.equal(errorOf['g_throws.lua'], 'g_throws.lua:3: broken');
  assert.match(errorOf['h_setup_throws.lua'] ?? '', /^h_setup_throws\.lua:2: attempt to perform arithmetic/);
  assert.equal(errorOf['j_no_function.lua'], 'j_no_function.lua: `idle` must be a function, it is a number');
  assert.match(
    errorOf['k_missing_module.lua'] ?? '',
    /^k_missing_module\.lua:1: module "socket" does not exist; there are: alert_consts, /,
  );
  assert.equal(errors.length, 9);
  const off = reports().find((report) => report.key === 'off');
  assert.equal(off?.state, 'off by setup');
  assert.deepEqual(off?.callbacks, ['idle']);
});

test('a missing directory, and one without scripts, is told once', async (t) => {
  const { directory } = await start(t, {});
  const told: string[] = [];
  const files = createScriptFiles([join(directory, 'none'), directory], (message) => told.push(message));
  assert.deepEqual(files.scan(), []);
  assert.deepEqual(files.scan(), []);
  assert.match(told[0] ?? '', /^directory of scripts: ENOENT/);
  assert.match(told[1] ?? '', /^directory of scripts: no \.lua or \.ts files in /);
  assert.equal(told.length, 2);
});

test('a failing call loses only itself, is counted and named by file and line', async (t) => {
  const { reports, lines, errors, run } = await start(t, {
    'a.lua': script('a', 'idle', 'info.mark = 1\nlocal x = info.nothing.field', ', prio = 5'),
    'b.lua': script('b', 'idle', 'print("b sees " .. info.mark)'),
    'c.lua': script('c', 'idle', 'error({ code = 1 })'),
    'd.lua': script('d', 'idle', 'error("plain", 0)'),
    'e.lua': script('e', 'idle', 'print("e")'),
  });
  run('idle');
  run('idle');
  assert.deepEqual(lines, ['b sees 1', 'e', 'b sees 1', 'e']);
  assert.equal(errors.length, 6);
  assert.match(errors[0] ?? '', /^idle a: a\.lua:5: attempt to index a nil value \(field 'nothing'\)/);
  assert.match(errors[1] ?? '', /^idle c: c\.lua:4: table: /);
  assert.equal(errors[2], 'idle d: d.lua:4: plain');
  const a = reports().find((report) => report.key === 'a');
  assert.equal(a?.stats.idle?.calls, 2);
  assert.equal(a?.stats.idle?.failures, 2);
  assert.match(a?.lastError ?? '', /^a\.lua:5: /);
});

test('order is by prio, then file name; writes to info are seen by later scripts', async (t) => {
  const { reports, lines, run } = await start(t, {
    'a.lua': script('a', 'protocolDetected', 'print("a", info.by) info.by = "a"'),
    'b.lua': script('b', 'protocolDetected', 'print("b", info.by) info.by = "b"', ', prio = 10'),
    'c.lua': script('c', 'protocolDetected', 'print("c", info.by, flow.getInfo() == info)', ', prio = -1.5'),
    'd.lua': script('d', 'protocolDetected', 'print("d", info.by) info["cli.ip"] = nil info.by = "d"'),
    'e.lua': script('e', 'protocolDetected', 'print("e", info["cli.ip"])', ', prio = -9'),
  });
  run('protocolDetected');
  assert.deepEqual(lines, ['b\tnil', 'a\tb', 'd\ta', 'c\td\ttrue', 'e\tnil']);
  assert.deepEqual(
    reports().map((report) => [report.key, report.prio]),
    [
      ['b', 10],
      ['a', 0],
      ['d', 0],
      ['c', -1.5],
      ['e', -9],
    ],
  );
});

test('a call that uses up its budget is ended, even when it catches errors, and the others run', async (t) => {
  const { reports, lines, errors, run } = await start(t, {
    'a.lua': script('a', 'idle', 'while true do end'),
    'aa.lua': script('aa', 'idle', 'assert(not pcall(error, "x"))'),
    'b.lua': script('b', 'idle', 'while true do pcall(function() while true do end end) end'),
    'c.lua': script('c', 'idle', 'while true do xpcall(function() while true do end end, function(m) return m end) end'),
    'd.lua': script('d', 'idle', 'while true do local co = coroutine.create(function() while true do end end) coroutine.resume(co) end'),
    'e.lua': script('e', 'idle', 'while true do load(function() while true do end end) end'),
    'f.lua': script('f', 'idle', 'local x <close> = setmetatable({}, { __close = function() while true do end end }) while true do end'),
    'g.lua': script('g', 'idle', 'local r = string.rep("x", 1 << 30)'),
    'h.lua': script('h', 'idle', 'local function f() return f() end f()'),
    'i.lua': script('i', 'idle', 'local function f() return (("x"):gsub("x", f)) end f()'),
    'y.lua': script('y', 'idle', 'assert(not pcall(error, "x"))'),
    'z.lua': script('z', 'idle', 'local n = 0 for i = 1, 200000 do n = n + i end print(n)'),
  });
  run('idle');
  run('idle');
  assert.deepEqual(lines, ['20000100000', '20000100000']);
  assert.equal(errors.length, 18);
  const stopped = `stopped: the call used up its budget of ${CALL_BUDGET.toLocaleString('en')} instructions`;
  for (const [index, key] of ['a', 'b', 'c', 'd', 'e', 'f'].entries()) {
    assert.equal(errors[index], `idle ${key}: ${key}.lua:4: ${stopped}`);
    assert.equal(reports().find((report) => report.key === key)?.stats.idle?.failures, 2);
  }
  assert.equal(errors[6], 'idle g: g.lua:4: resulting string too large');
  assert.equal(errors[7], `idle h: h.lua:4: ${stopped}`);
  assert.match(errors[8] ?? '', /^idle i: i\.lua:4: .*stack overflow/);
});

test('a call that asks for more memory than there is fails, and the others run', async (t) => {
  const { errors, lines, run } = await start(t, {
    'a.lua': script('a', 'idle', 'local s = "x" while true do s = s .. s end'),
    'b.lua': script('b', 'idle', 'print(info.bytes)'),
  });
  run('idle');
  run('idle');
  assert.deepEqual(lines, ['2698', '2698']);
  assert.equal(errors.length, 2);
  for (const error of errors) assert.match(error, /^idle a: .*not enough memory$/);
});

test('loading has a budget too', async (t) => {
  const { reports } = await start(t, { 'a.lua': 'while true do end', 'b.lua': script('b', 'idle', '') });
  assert.match(reports()[0]?.error ?? '', /^a\.lua:1: stopped: the call used up its budget of 10,000,000 instructions/);
  assert.equal(reports()[1]?.state, 'on');
});

test('alerts reach the sink with ids, names and JSON', async (t) => {
  const { alerts, reports, errors, run } = await start(t, {
    'a.lua': `local alert_consts = require("alert_consts")
local script = { key = "a", setup = function() return true end }
function script.protocolDetected(info)
  alerts_api.storeFlowAlert(alert_consts.alert_types.flow_blacklisted, alert_consts.alert_severities.error, { why = "list", n = 2.5, ["x y"] = { 1, 2 } })
  flow.storeAlert(43, 1, '{"raw":true}')
  flow.storeAlert(999, 7)
end
function script.idle(info) alerts_api.storeFlowAlert("flow_blacklisted", 1, info) end
function script.statusChanged(info) flow.storeAlert(1, 1, info) end
return script`,
  });
  run('protocolDetected');
  run('idle');
  run('statusChanged', { ...TYPICAL, host_server_name: 'm\u00c3\u00bcn' });
  const version = reports()[0]?.hash;
  const common = { script: 'a', version, callback: 'protocolDetected', shadow: false, reason: {} };
  assert.deepEqual(alerts.slice(0, 3), [
    {
      ...common,
      alertType: 7,
      alertTypeName: 'flow_blacklisted',
      severity: 2,
      severityName: 'error',
      info: '{"n":2.5,"why":"list","x y":[1,2]}',
    },
    {
      ...common,
      alertType: 43,
      alertTypeName: 'potentially_dangerous_protocol',
      severity: 1,
      severityName: 'warning',
      info: '{"raw":true}',
    },
    { ...common, alertType: 999, severity: 7 },
  ]);
  assert.equal(alerts.length, 4);
  const whole = JSON.parse(Buffer.from(alerts[3]?.info ?? '', 'latin1').toString('utf8')) as Record<string, unknown>;
  assert.deepEqual(whole, { ...TYPICAL, host_server_name: 'mün' });
  assert.equal(reports()[0]?.alerts, 4);
  assert.deepEqual(errors, ['idle a: a.lua:8: storeFlowAlert: the alert type must be an entry of alert_consts, it is flow_blacklisted']);
});

test('output: print, tprint, traceError, one line each and safe on a terminal', async (t) => {
  const { lines, run } = await start(t, {
    'a.lua': script(
      'a',
      'idle',
      `print("two\\nlines", 1, nil, 2.0)
print("\\27[31mred", "m\u00fcn", "\\xff")
tprint({ b = { c = 1, ["d.e"] = "x" }, a = true, z = {} })
tprint("text")
traceError(TRACE_WARNING, TRACE_CONSOLE, "careful")
traceError(TRACE_DEBUG, TRACE_CONSOLE, "detail")
print(os.time(), os.date("!%Y-%m-%d", os.time()), os.date("!%H:%M"))
print(interface.getId(), interface.getName())
print(shortFlowLabel(info), i18n("Some text"))
print(ntop.bitmapIsSet(5, 2), ntop.bitmapIsSet(5, 1), ntop.bitmapSet(0, 27), ntop.bitmapClear(5, 0))
print(math.type(info["bytes"]), math.type(info["throughput_bps"]), info["bytes"] // 2)`,
    ),
  });
  run('idle', TYPICAL, VISIT_TIME);
  assert.deepEqual(lines, [
    'two',
    'lines\t1\tnil\t2.0',
    '\\x1b[31mred\tmün\t\ufffd',
    'a boolean true',
    'b.c number 1',
    'b.d.e string "x"',
    'z table {}',
    'string "text"',
    'careful',
    'detail',
    '1569859250\t2019-09-30\t16:00',
    '3\teth0',
    '[TCP] 192.168.1.20:51514 -> 203.0.113.7:80 [HTTP]\tSome text',
    'true\tfalse\t134217728\t4',
    'integer\tfloat\t1349',
  ]);
});

test('module variables live on, and scripts do not share globals or libraries', async (t) => {
  const { lines, run } = await start(t, {
    'a.lua': script('a', 'idle', 'count = (count or 0) + 1 string.mine = 1 table.len = nil print("a" .. count)'),
    'b.lua': script('b', 'idle', 'print(count, string.mine, ("x").mine, table.len ~= nil, _G.count, _ENV == _G)'),
  });
  run('idle');
  run('idle');
  assert.deepEqual(lines, ['a1', 'nil\tnil\tnil\ttrue\tnil\ttrue', 'a2', 'nil\tnil\tnil\ttrue\tnil\ttrue']);
});

test('two engines give the same order of pairs and the same random numbers', async (t) => {
  const text = script(
    'a',
    'idle',
    'local t = {} for i = 1, 20 do t["k" .. i] = i end local s = "" for k in pairs(t) do s = s .. k end print(s, math.random(1 << 40))',
  );
  const first = await start(t, { 'a.lua': text });
  const second = await start(t, { 'a.lua': text });
  first.run('idle');
  second.run('idle');
  assert.deepEqual(first.lines, second.lines);
});
