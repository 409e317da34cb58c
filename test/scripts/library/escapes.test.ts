/**
 * Ways out of the sandbox, and ways to take others along: each is tried beside a good script, which has to run on unharmed.
 * What runs without instructions (hostile patterns) is ended from outside, and tested with the host.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createScriptCache } from '../../../src/scripts/cache.ts';
import { type Harness, script, start, TYPICAL } from '../support.ts';

const startWith = (t: TestContext, files: Readonly<Record<string, string>>): Promise<Harness> =>
  start(t, files, { cache: createScriptCache({ now: () => 0 }) });

const GOOD = script(
  'good',
  'idle',
  `n = (n or 0) + 1
print("good " .. n .. " " .. info["cli.ip"] .. " " .. tostring(string.mine) .. " " .. require("json").encode({ 1, "x" }) .. " " .. ("a,b"):split(",")[2])`,
  ', prio = -1',
);
const good = (n: number): string => `good ${n} 192.168.1.20 nil [1,"x"] b`;

/** Runs the bodies twice, each in a script of its own. @returns errors by script */
async function hostile(t: TestContext, bodies: readonly string[]): Promise<Map<string, string[]>> {
  const files = bodies.map((body, i): [string, string] => [`h${i}.lua`, script(`h${i}`, 'idle', body)]);
  const harness = await startWith(t, { ...Object.fromEntries(files), 'z_good.lua': GOOD });
  const loadErrors = [...harness.errors];
  assert.deepEqual(loadErrors, []);
  harness.run('idle');
  harness.run('idle');
  assert.deepEqual(
    harness.lines.filter((line) => line.startsWith('good')),
    [good(1), good(2)],
  );
  const errors = new Map<string, string[]>();
  for (const error of harness.errors) {
    const key = /^idle (\w+): /.exec(error)?.[1] ?? '';
    errors.set(key, [...(errors.get(key) ?? []), error]);
  }
  return errors;
}

const printed = async (t: TestContext, body: string): Promise<string[]> => {
  const { lines, errors, run } = await startWith(t, { 'a.lua': script('a', 'idle', body) });
  run('idle');
  assert.deepEqual(errors, []);
  return lines;
};

test('whatever is caught again and again, an endless loop ends with its call', async (t) => {
  const forever = 'while true do end';
  const bodies = [
    `while true do pcall(function() ${forever} end) end`,
    `while true do xpcall(function() ${forever} end, function(m) ${forever} end) end`,
    `while true do pcall(pcall, function() ${forever} end) end`,
    `while true do pcall(error, setmetatable({}, { __tostring = function() ${forever} end })) end`,
    `while true do coroutine.resume(coroutine.create(function() ${forever} end)) end`,
    `while true do pcall(coroutine.wrap(function() ${forever} end)) end`,
    `while true do coroutine.resume(coroutine.create(function() coroutine.resume(coroutine.create(function() ${forever} end)) end)) end`,
    `local c = coroutine.create(function() local x <close> = setmetatable({}, { __close = function() ${forever} end }) coroutine.yield() end)
     coroutine.resume(c) while true do pcall(coroutine.close, c) end`,
    `while true do pcall(load, function() ${forever} end) end`,
    `while true do pcall(load("${forever}")) end`,
    `while true do pcall(load, math.random) end`,
    `while true do pcall(table.sort, { 3, 1, 2 }, function() ${forever} end) end`,
    `while true do pcall(string.gsub, "x", "x", function() ${forever} end) end`,
    `local x <close> = setmetatable({}, { __close = function() ${forever} end })`,
    `local t = setmetatable({}, { __index = function() ${forever} end }) while true do pcall(function() return t.x end) end`,
    `local t = setmetatable({}, { __pairs = function() return math.random end }) while true do pcall(require("json").encode, t) end`,
    `while true do pcall(tprint, setmetatable({}, { __pairs = function() return function() ${forever} end end })) end`,
    `while true do pcall(flow.storeAlert, 1, 1, setmetatable({}, { __pairs = function() ${forever} end })) end`,
    `while true do pcall(flow.triggerStatus, 13, setmetatable({}, { __index = function() ${forever} end }), 5) end`,
    `while true do pcall(print, setmetatable({}, { __tostring = function() ${forever} end })) end`,
    `while true do pcall(i18n, "%{x}", setmetatable({}, { __index = function() ${forever} end })) end`,
    `while true do pcall(string.split, ("x"):rep(1 << 24), "x") end`,
    `while true do pcall(require, setmetatable({}, { __tostring = function() ${forever} end })) end`,
    `goto again ::again:: pcall(function() while true do end end) goto again`,
    `repeat local ok, e = pcall(error, "x") until false`,
  ];
  const errors = await hostile(t, bodies);
  for (const [i, body] of bodies.entries()) {
    const [first = '', second = ''] = errors.get(`h${i}`) ?? [];
    assert.match(first, /stopped: the call used up its budget|stack overflow|not enough memory/, body);
    assert.match(second, /stopped: the call used up its budget|stack overflow|not enough memory/, body);
  }
});

test('deep recursion is an error of its script', async (t) => {
  const bodies = [
    'local function f() return 1 + f() end f()',
    'local t = setmetatable({}, {}) getmetatable(t).__index = function(_, k) return t[k .. "x"] end return t.y',
    'local function f() return tostring(setmetatable({}, { __tostring = f })) end f()',
    'local function f() return (("x"):gsub("x", f)) end f()',
    'local function f() return pcall(f) end local ok = f() error(tostring(ok))',
    'local function f() return select(2, xpcall(error, f)) end error(tostring(f()))',
    'local function f() return coroutine.wrap(f)() end f()',
    'local function f() local c = coroutine.create(f) local ok, e = coroutine.resume(c) error(e, 0) end f()',
    'local function f(a, b) table.sort({ 3, 2, 1 }, f) return true end f()',
    'local t = {} local deep = t for i = 1, 150000 do deep[1] = {} deep = deep[1] end require("json").encode(t)',
    'error(select(2, load("return " .. ("("):rep(100000))))',
    'error(select(2, load(("do "):rep(100000))))',
    'error(select(2, load("return " .. ("{"):rep(100000))))',
    'error(select(2, load("return " .. ("-"):rep(100000) .. "1")))',
    'local t = {} setmetatable(t, { __index = t }) for i = 1, 3000 do t = setmetatable({}, { __index = t }) end error(tostring(t.x))',
    'error(tostring(require("json").decode(("["):rep(100000))))',
    'local s = "return 1" for i = 1, 300 do s = "return load(" .. string.format("%q", s) .. ")()" if #s > 100000 then break end end load(s)() error("through")',
    'local function f() local x <close> = setmetatable({}, { __close = f }) end f()',
    'string.format("%s", setmetatable({}, { __tostring = function() return {} end }))',
    'error(setmetatable({}, { __tostring = function() error("again") end }))',
    'error(setmetatable({}, { __tostring = function() return nil end, __name = {} }))',
    'xpcall(error, function(m) error(m) end) error("done")',
    'error({})',
    'error(nil)',
    'error()',
    'error("a\\0b\\27[31m\\nc")',
  ];
  const errors = await hostile(t, bodies);
  for (const [i, body] of bodies.entries()) {
    assert.equal(errors.get(`h${i}`)?.length, 2, body);
    for (const error of errors.get(`h${i}`) ?? []) assert.match(error, /^idle h\d+: h\d+\.lua:\d+: /, body);
  }
});

test('huge values are an error of their script', async (t) => {
  const errors = await hostile(t, [
    'return ("x"):rep("1000000000")',
    'return ("x"):rep(1e9)',
    'return ("x"):rep(1 << 62, "yy")',
    'return string.rep("", 1 << 40, ",")',
    'local s = "x" while true do s = s .. s end',
    'local t = {} for i = 1, 1000 do t[i] = ("x"):rep(1 << 20) end return table.concat(t)',
    'local s = ("x"):rep(1 << 20) return s:gsub("x", s)',
    'table.move({}, 1, 1 << 40, 2)',
    'return table.unpack({}, 1, 1 << 30)',
    'local t = {} while true do t[#t + 1] = {} end',
    'return ("%s"):rep(100000):format(1)',
    'return string.format("%99999d", 1)',
    'return string.pack("!17i17", 1)',
    'return os.date("%Ez")',
    'return os.time({ year = 1 << 40, month = 1, day = 1 })',
    'return utf8.char(1 << 40)',
    'return math.random(0, -1)',
    'return select(-5)',
    'return ntop.setCache("k", ("x"):rep(1 << 24)), ntop.setCache("l", ("x"):rep(1 << 24)), ntop.setCache("m", ("x"):rep(1 << 24)), ntop.setCache("n", ("x"):rep(1 << 24))',
  ]);
  assert.equal(errors.size, 19, JSON.stringify([...errors.keys()]));
  // nothing to make: these are quick and no error
  assert.deepEqual(await printed(t, 'print(#string.rep("", 1 << 60), #("ab"):rep(3, ","), #("x"):rep(-1), #("x"):rep(0))'), ['0\t8\t0\t0']);
});

test('what a script does to its globals and libraries, it does to itself', async (t) => {
  const { errors, lines, alerts, run } = await startWith(t, {
    'a.lua': script(
      'a',
      'idle',
      `local json, keep = require("json"), print
string.mine, string.split, table.concat, json.encode, json.null = 1, nil, nil, nil, nil
package.loaded.json = { encode = function() return {} end }
alert_consts.alert_types.web_mining.alert_id = "x"
flow_consts.status_types = nil
for name in pairs(_G) do if name ~= "_G" then _G[name] = nil end end
_ENV.print = keep
print("emptied", _G ~= nil, tostring)`,
    ),
    'b.lua': script(
      'b',
      'idle',
      `tostring, pairs, next, type, error, setmetatable, string, table = nil, nil, nil, nil, nil, nil, nil, nil
flow.storeAlert(21, 1, { a = { 1 } })
print("still", ntop.getCache("x"), #ntop.getDirs().installdir)`,
    ),
    'z_good.lua': GOOD,
  });
  run('idle');
  assert.deepEqual(errors, []);
  assert.deepEqual(lines, ['emptied\ttrue\tnil', 'still\t\t11', good(1)]);
  assert.equal(alerts[0]?.info, '{"a":[1]}');
});

test('nothing of the host, of other scripts or of the machine is in reach', async (t) => {
  const lines = await printed(
    t,
    `local seen, found = {}, {}
local function walk(path, value)
  if type(value) ~= "table" or seen[value] then
    if type(value) == "userdata" or type(value) == "thread" then found[#found + 1] = path end
    return
  end
  seen[value] = true
  for key, member in next, value do
    for _, name in ipairs({ "debug", "dofile", "loadfile", "popen", "execute", "getenv", "exit", "rename", "tmpname", "dump",
      "loadlib", "searchers", "shared", "getinfo", "sethook", "getupvalue", "getregistry" }) do
      if key == name then found[#found + 1] = path .. "." .. tostring(key) end
    end
    walk(path .. "." .. tostring(key), member)
    walk(path .. "[key]", key)
  end
  local metatable = getmetatable(value)
  if metatable then walk(path .. "<meta>", metatable) end
end
walk("_G", _G)
for _, name in ipairs({ "alert_keys", "discover_utils", "flow_keys", "flow_risk_utils", "flow_utils", "ids_utils", "mud_utils", "os_utils",
  "plugins_utils", "user_scripts", "format_utils", "locales_utils" }) do walk(name, require(name)) end
walk("event", setmetatable({}, { __index = info }))
print(#found, found[1])
print(getmetatable("x"), getmetatable(print), getmetatable(nil), getmetatable(1), getmetatable(info), getmetatable(require("json").null))
print(pcall(function() require("json").null.x = 1 end))
print(pcall(rawset, require("json").null, "x", 1), pcall(table.insert, require("json").null, 1))
print(pcall(setmetatable, "x", {}), pcall(setmetatable, print, {}))
print(load(string.char(27) .. "Lua"), (pcall(load, "x", "n", "b")))
print(coroutine.isyieldable(), (pcall(coroutine.yield)), select(2, coroutine.running()))`,
  );
  assert.deepEqual(lines.slice(0, 2), ['0\tnil', 'nil\tnil\tnil\tnil\tnil\tnil']);
  assert.match(lines[2] ?? '', /^false\t.*json\.null cannot be changed$/);
  assert.match(lines[3] ?? '', /^false\tfalse\t.*json\.null cannot be changed$/);
  assert.equal(lines[4], "false\tfalse\tbad argument #1 to 'setmetatable' (table expected, got function)");
  assert.equal(lines[5], 'nil\ttrue');
  assert.equal(lines[6], 'false\tfalse\ttrue');
});

test('an error that a script catches names a line of a script, and none of our code', async (t) => {
  const { lines, run } = await startWith(t, {
    'a.lua': script(
      'a',
      'idle',
      `local json = require("json")
print(pcall(json.decode))
print(pcall(function() shortFlowLabel(5) end))
print(pcall(string.split, nil))
print(xpcall(os.date, function(message) return "handled: " .. message end, {}))
print(coroutine.resume(coroutine.create(function() json.decode() end)))
print(pcall(coroutine.wrap(function() json.decode() end)))
print(pcall(io.write, {}))
print(pcall(ntop.setCache))
print(pcall(require, "alerts_api.nothing"))`,
    ),
  });
  run('idle');
  for (const line of lines) assert.doesNotMatch(line, /flowpatrol[ /]|(?:json|strings|lua_utils)\.lua/);
  const at = (line: string): string | undefined => /\ba\.lua:\d+/.exec(line)?.[0];
  assert.deepEqual(lines.map(at).slice(0, 7), ['a.lua:5', 'a.lua:6', 'a.lua:7', 'a.lua:8', 'a.lua:9', 'a.lua:10', 'a.lua:11']);
});

test('finalisers never run', async (t) => {
  const { lines, errors, run } = await startWith(t, {
    'a.lua': script(
      'a',
      'idle',
      `print(pcall(setmetatable, {}, { __gc = print }))
local late = {}
for i = 1, 100 do setmetatable({}, late) end
late.__gc = function() print("a finaliser") end
for i = 1, 20000 do local garbage = { {} } end
print(collectgarbage("collect"), collectgarbage("step"), collectgarbage("generational"), collectgarbage("count") > 0)`,
    ),
  });
  for (let i = 0; i < 20; i++) run('idle');
  assert.deepEqual(errors, []);
  assert.equal(lines.length, 40);
  assert.deepEqual(lines.slice(0, 2), ['false\ta metatable of a script cannot have __gc', '0\t0\t0\ttrue']);
});

test('files that are hostile while they are loaded are refused, and the others load', async (t) => {
  const { lines, errors, run } = await startWith(t, {
    'a.lua': 'while true do pcall(function() while true do end end) end',
    'b.lua': 'return setmetatable({}, { __index = function() while true do end end })',
    'c.lua':
      'return { hooks = setmetatable({}, { __index = function() while true do end end, __pairs = function() return math.random end }), gui = {} }',
    'd.lua': 'return { key = setmetatable({}, { __tostring = function() while true do end end }), setup = print }',
    'e.lua': 'return { key = "e", setup = setmetatable({}, { __call = print }) }',
    'f.lua': 'return { key = "f", setup = function() local s = "x" while true do s = s .. s end end }',
    'g.lua': 'return { key = "g", setup = function() coroutine.yield() end }',
    'h.lua': 'local function f() return 1 + f() end f()',
    'i.lua': 'error(setmetatable({}, { __tostring = function() while true do end end }))',
    'j.lua': '\\27Lua',
    'k.lua': 'return { key = ("k"):rep(1 << 22), setup = print, idle = print }',
    'l.lua':
      '#!/usr/bin/lua\nreturn { key = "l", setup = print, prio = 0/0, idle = print, gui = { i18n_title = "\\xff\\0\\27", i18n_description = {} } }',
    'z_good.lua': GOOD,
  });
  run('idle');
  assert.deepEqual(
    lines.filter((line) => line.startsWith('good')),
    [good(1)],
  );
  const refused = errors.map((error) => /^load \S*?(\w)(?:\.lua)?: /.exec(error)?.[1]);
  for (const file of 'abdefghij') assert.ok(refused.includes(file), `${file}: ${errors.map((error) => error.slice(0, 100)).join('\n')}`);
});

test('a teardown that never ends, fails or yields stops nobody', async (t) => {
  const of = (body: string): string =>
    `return { key = "a", idle = function() print("a") end, setup = function() return true end, teardown = function() ${body} end }`;
  const harness = await startWith(t, { 'a.lua': of('while true do pcall(function() while true do end end) end'), 'z_good.lua': GOOD });
  for (const body of ['error("no")', 'coroutine.yield()', 'local function f() return 1 + f() end f()', 'print(info, flow.getInfo())']) {
    harness.write('a.lua', of(body));
    harness.run('idle');
  }
  harness.write('a.lua', undefined);
  harness.run('idle', TYPICAL);
  assert.equal(harness.lines.filter((line) => line.startsWith('good')).length, 5);
});

test('a loop whose length divides the ticks of the budget is no way out', {}, async (t) => {
  const forever = 'while true do end';
  const errors = await hostile(t, [
    `local t = setmetatable({}, { __pairs = function() return math.random end }) while true do pcall(function() for _ in pairs(t) do end end) end`,
    `while true do pcall(load("${forever}")) flow.getBytes() end`,
  ]);
  assert.equal(errors.size, 2);
});

test('work done in many short coroutines is in the budget of the call', async (t) => {
  const errors = await hostile(t, [
    'local n = 0 for i = 1, 20000 do coroutine.wrap(function() for j = 1, 2000 do n = n + 1 end end)() end',
    'local n = 0 for i = 1, 20000 do coroutine.resume(coroutine.create(function() for j = 1, 2000 do n = n + 1 end end)) end',
  ]);
  assert.equal(errors.size, 2);
  for (const message of errors.values()) assert.match(String(message), /used up its budget of 1,000,000 instructions/);
});
