/** What a Lua file says of itself: generation, filter, warnings, errors. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { EMPTY_BOOK } from '../../../src/hosts/book.ts';
import { DEFAULT_PREFERENCES, type Preferences } from '../../../src/preferences.ts';
import { createScriptCache } from '../../../src/scripts/cache.ts';
import { createEffects } from '../../../src/scripts/effects.ts';
import { createLuaRuntime } from '../../../src/scripts/lua/engine.ts';
import type { Definition, Runtime } from '../../../src/scripts/runtime.ts';
import { FIELDS_OF_TEST, NAMES } from '../support.ts';

interface Options {
  readonly directories?: readonly string[];
  readonly preferences?: Partial<Preferences>;
  readonly protocols?: readonly string[];
}

async function runtimeOf(
  t: TestContext,
  { directories = [], preferences = {}, protocols = ['Unknown', 'TLS', 'DNS'] }: Options = {},
): Promise<Runtime> {
  const runtime = await createLuaRuntime(
    {
      interfaceId: 0,
      interfaceName: 'eth0',
      live: false,
      seed: 0,
      names: { ...NAMES, protocols },
      hosts: EMPTY_BOOK,
      effects: createEffects(),
      cache: createScriptCache({ now: () => 0 }),
      translate: () => undefined,
      running: new Int32Array(1),
      preferences: () => ({ ...DEFAULT_PREFERENCES, ...preferences }),
      directories,
    },
    FIELDS_OF_TEST,
  );
  t.after(() => runtime.close());
  return runtime;
}

let number = 0;
const load = (runtime: Runtime, text: string, file = 'a.lua'): Definition =>
  runtime.load(++number, { file, path: `/scripts/${file}`, language: 'lua', source: Buffer.from(text), hash: '' });
const define = async (t: TestContext, text: string, options?: Options): Promise<Definition> => load(await runtimeOf(t, options), text);

const ALL_L4 = [1, 2, 6, 17, 41, 46, 47, 50, 58, 89, 103, 112, 139];

test('the generation is found from the shape, whatever the text looks like', async (t) => {
  const runtime = await runtimeOf(t);
  const generations = {
    '2019': [
      'return { key = "a", prio = 5, setup = function() return true end, idle = function() end }',
      // the text speaks of hooks, the table has none
      'local hooks = { idle = function() end }\nreturn { key = "a", setup = function() return true end, idle = hooks.idle }',
    ],
    '4.0': [
      'return { hooks = { idle = function(now, conf) end } }',
      'return { key = "a", hooks = { all = function(params) end } }',
      'local script = {}\nscript["hooks"] = {}\nscript["hooks"]["idle"] = function(now) end\nreturn script',
    ],
    '4.2': [
      'return { prio = -20, hooks = { idle = function(now) end } }',
      'local t = require("flow_consts").status_types.status_blacklisted\nreturn { hooks = { idle = function(now) t.create(nil) end } }',
      'return { hooks = { idle = function() return flow.hasRisk(3) end } }',
      'local script = { hooks = { idle = function(now) end } }\nscript["on" .. "Enable"] = function() end\nreturn script',
    ],
  };
  for (const [generation, texts] of Object.entries(generations)) {
    for (const text of texts) assert.equal(load(runtime, text).generation, generation, text);
  }
  assert.equal(
    load(runtime, 'local c = coroutine.create(print) return { hooks = { idle = function(now) end }, gui = { i18n_title = "T" } }')
      .generation,
    '4.0',
  );
});

test('modules have the numbers of the generation already while the file runs', async (t) => {
  const numbers = `local types = require("flow_consts").status_types
local severities = require("alert_consts").alert_severities
local title = types.status_blacklisted.status_key .. " " .. severities.error.severity_id .. " " .. require("alert_consts").alert_types.flow_blacklisted.alert_id
`;
  const runtime = await runtimeOf(t);
  const titleOf = (text: string): string => load(runtime, numbers + text).title;
  assert.equal(titleOf('return { key = "a", setup = print, gui = { i18n_title = title } }'), '13 2 7');
  assert.equal(titleOf('return { key = "a", hooks = { all = function(params) end }, gui = { i18n_title = title } }'), '1 2 8');
  assert.equal(titleOf('return { hooks = { all = function(now) end }, gui = { i18n_title = title } }'), '1 2 8');
  assert.equal(titleOf('return { prio = 1, hooks = { all = function(now) end }, gui = { i18n_title = title } }'), '1 5 8');
  // here the text is no help: the file is run again
  assert.equal(titleOf('local s = { gui = { i18n_title = title } } s["ho".."oks"] = { all = function(now) end } return s'), '1 2 8');
});

test('hooks become callbacks, and one of its own comes before `all`', async (t) => {
  const definition = await define(
    t,
    'return { hooks = { flowEnd = print, all = print, statusChanged = print }, gui = { i18n_title = "T", i18n_description = "D" } }',
  );
  assert.deepEqual(definition, {
    key: 'a',
    title: 'T',
    description: 'D',
    prio: 0,
    generation: '4.0',
    callbacks: ['protocolDetected', 'statusChanged', 'periodicUpdate', 'idle'],
    filter: { l4: ALL_L4 },
    enabled: true,
    warnings: [],
  });
});

test('filters of 4.x', async (t) => {
  const runtime = await runtimeOf(t);
  const of = (members: string): Definition =>
    load(runtime, `return { hooks = { idle = function(now) end }, gui = { i18n_title = "T" }, ${members} }`);
  assert.deepEqual(of('l4_proto = "tcp", three_way_handshake_ok = true').filter, { l4: [6], handshake: true });
  assert.deepEqual(of('l4_proto = "ipv6icmp"').filter, { l4: [58] });
  assert.deepEqual(of('l7_proto = "dns"').filter, { l4: ALL_L4, l7: 2 });
  assert.deepEqual(of('l7_proto_id = 5, packet_interface_only = true').filter, { l4: ALL_L4, l7: 5, packetInterface: true });
  assert.deepEqual(of('periodic_update_seconds = 600').filter, { l4: ALL_L4, periodicSeconds: 600 });
  assert.deepEqual(of('periodic_update_seconds = 45').warnings, [
    'a.lua: periodic_update_seconds must be a multiple of 30, it is 45; 120 is taken',
  ]);
  assert.throws(() => of('l4_proto = "sctp"'), /^Error: a\.lua: l4_proto: there is no protocol "sctp"; there are: esp, gre, hip, icmp/);
  assert.throws(() => of('l7_proto = "Gopher"'), /^Error: a\.lua: l7_proto: detection knows no protocol "Gopher"/);
});

test('a protocol by name is no error while detection is off', async (t) => {
  const definition = await define(t, 'return { l7_proto = "DNS", hooks = { idle = function(now) end }, gui = { i18n_title = "T" } }', {
    protocols: [],
  });
  assert.deepEqual(definition.filter.l7, 65535);
  assert.match(definition.warnings[0] ?? '', /detection is off/);
});

test('who is off: setup, default_enabled, inline systems, no alerts', async (t) => {
  const runtime = await runtimeOf(t);
  const enabled = (text: string): boolean => load(runtime, text).enabled;
  const of2019 = (setup: string): string => `return { key = "a", idle = print, setup = function() ${setup} end }`;
  assert.deepEqual(
    ['return true', 'return 1', '', 'return false'].map((setup) => enabled(of2019(setup))),
    [true, true, false, false],
  );
  const of4 = (members: string): string => `return { hooks = { idle = function(now) end }, ${members} }`;
  assert.deepEqual(
    [
      '',
      'setup = function() end',
      'setup = function() return false end',
      'default_enabled = false',
      'nedge_only = true',
      'is_alert = true',
    ].map((members) => enabled(of4(members))),
    [true, true, false, false, false, true],
  );
  const silent = await runtimeOf(t, { preferences: { disable_alerts_generation: true } });
  assert.equal(load(silent, of4('is_alert = true')).enabled, false);
});

test('what looks wrong and stops nothing', async (t) => {
  const runtime = await runtimeOf(t);
  const warnings = (text: string): readonly string[] => load(runtime, text).warnings;
  const of2019 = (members: string): string => `return { key = "a", setup = print, ${members} }`;
  assert.deepEqual(warnings(of2019('protocoldetected = print, statuschange = print, flowEnd = print, helper = print, idle = print')), [
    'a.lua: the function `protocoldetected` is never called; did you mean `protocolDetected`?',
    'a.lua: the function `statuschange` is never called; did you mean `statusChanged`?',
  ]);
  assert.deepEqual(warnings(of2019('flowEnd = print')), [
    'a.lua: the function `flowEnd` is never called; did you mean `idle`?',
    'a.lua: it defines no callback: protocolDetected, statusChanged, periodicUpdate or idle',
  ]);
  assert.deepEqual(warnings(of2019('idle = print, gui = { input_builder = "nice_slider" }')), [
    'a.lua: the input builder nice_slider is unknown; the checkbox is shown',
  ]);
  assert.deepEqual(warnings(of2019('idle = print, gui = { input_builder = print }')), [
    'a.lua: the input builder in gui.input_builder is unknown; the checkbox is shown',
  ]);
  for (const builder of [
    'alerts_api.flow_checkbox_input_builder',
    'require("user_scripts").checkbox_input_builder',
    '"items_list"',
    'nil',
  ]) {
    assert.deepEqual(warnings(of2019(`idle = print, gui = { input_builder = ${builder} }`)), [], builder);
  }
  assert.deepEqual(
    warnings(
      'return { idle = print, hooks = { protocolDetect = print, hour = print, nonsense = print, idle = function(now) end }, gui = { i18n_title = "T" } }',
    ),
    [
      'a.lua: the hook `hour` is not one of flows; it is never called',
      'a.lua: there is no hook `nonsense`',
      'a.lua: there is no hook `protocolDetect`; did you mean `protocolDetected`?',
      'a.lua: the function `idle` is never called: put it in `hooks`',
    ],
  );
});

test('a priority is a finite number, or 0', async (t) => {
  const runtime = await runtimeOf(t);
  const prios = ['5', '-1.5', '1e300', '0/0', '1/0', '"7"', 'nil'].map(
    (prio) => load(runtime, `return { key = "a", setup = print, prio = ${prio} }`).prio,
  );
  assert.deepEqual(prios, [5, -1.5, 0, 0, 0, 0, 0]);
});

test('a first line for the shell is passed over', async (t) => {
  const runtime = await runtimeOf(t);
  assert.equal(load(runtime, '#!/usr/bin/lua\nreturn { key = "a", setup = print }').key, 'a');
  assert.throws(() => load(runtime, '#!/usr/bin/lua\nlocal = 5'), /^Error: a\.lua:2: /);
});

test('files that cannot be a script are refused with their cause, and leave nothing behind', async (t) => {
  const runtime = await runtimeOf(t);
  for (const [text, message] of [
    ['return 5', 'a.lua: the file must return the table of its script, it returns number'],
    ['return { setup = print }', 'a.lua: the script has no `key`'],
    ['return { key = 5, hooks = {} }', 'a.lua: the script has no `key`'],
    ['return { key = "a" }', 'a.lua: the script has no function `setup`'],
    ['return { key = "a", setup = 5 }', 'a.lua: `setup` must be a function, it is a number'],
    ['return { key = "a", setup = print, idle = 5 }', 'a.lua: `idle` must be a function, it is a number'],
    ['return { hooks = { idle = {} } }', 'a.lua: the hook `idle` must be a function, it is a table'],
    ['\nreturn { key = "a", setup = function()\n error("no") end }', 'a.lua:3: no'],
    ['return { prio = 1, hooks = { idle = print }, onLoad = function() error("no") end }', 'a.lua:1: no'],
    ['require("nothing")', 'a.lua:1: module "nothing" does not exist; there are: alert_consts, '],
  ] as const) {
    assert.throws(
      () => load(runtime, text),
      (error: Error) => error.message.startsWith(message) || assert.fail(error.message),
    );
  }
  runtime.arrange('idle', []);
});

test('require finds modules of ours, then files in the folders of the scripts, and nothing else', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'flowpatrol-require-'));
  const outside = mkdtempSync(join(tmpdir(), 'flowpatrol-outside-'));
  t.after(() => {
    rmSync(folder, { recursive: true });
    rmSync(outside, { recursive: true });
  });
  mkdirSync(join(folder, 'lib'));
  writeFileSync(join(folder, 'lib', 'helper.lua'), 'local name = ...\nloads = (loads or 0) + 1\nreturn { name = name }');
  writeFileSync(join(folder, 'json.lua'), 'return "not the one of ours"');
  writeFileSync(join(folder, 'broken.lua'), '\nlocal = 5');
  writeFileSync(join(folder, 'loop.lua'), 'local x = require("loop")\nreturn x');
  writeFileSync(join(folder, 'nothing.lua'), '');
  writeFileSync(join(outside, 'secret.lua'), 'return "secret"');
  symlinkSync(join(outside, 'secret.lua'), join(folder, 'link.lua'));
  const runtime = await runtimeOf(t, { directories: [folder] });
  const titleOf = (expression: string): string =>
    load(runtime, `local title = ${expression} return { key = "a", setup = print, gui = { i18n_title = tostring(title) } }`).title;

  assert.equal(
    titleOf('require("lib.helper").name .. tostring(require("lib.helper") == require("lib.helper")) .. loads'),
    'lib.helpertrue1',
  );
  assert.equal(titleOf('type(require("json").encode)'), 'function');
  assert.equal(titleOf('package.loaded["nothing"] == nil and require("nothing")'), 'true');
  assert.equal(titleOf('(function() package.loaded.mine = 7 return require("mine") end)()'), '7');
  assert.match(titleOf('(function() package.path = "/tmp/?.lua;" .. package.path return package.path end)()'), /^\/tmp/);
  assert.throws(() => titleOf('require("broken")'), /broken\.lua:2: /);
  assert.throws(() => titleOf('require("loop")'), /loop\.lua:1: module "loop" requires itself/);
  const outsiders = [
    'link',
    '../secret',
    'lib/../../x',
    '/etc/passwd',
    'lib..helper',
    '.helper',
    'world/flow',
    'lua_utils.lua',
    'lib\\\\helper',
    '',
  ];
  for (const name of outsiders) assert.throws(() => titleOf(`require("${name}")`), /does not exist/, name);
});
