import assert from 'node:assert/strict';
import { test } from 'node:test';
import { script, start } from './support.ts';

/** Runs Lua statements in a callback and returns what they print. */
const printed = async (t: Parameters<typeof start>[0], body: string): Promise<string[]> => {
  const { lines, errors, run } = await start(t, { 'a.lua': script('a', 'idle', body) });
  run('idle');
  assert.deepEqual(errors, []);
  return lines;
};

test('nothing reaches the machine', async (t) => {
  const lines = await printed(
    t,
    `for _, name in ipairs { "debug", "loadfile", "dofile", "loadstring", "module" } do print(name, _G[name]) end
for _, name in ipairs { "execute", "exit", "getenv", "remove", "rename", "tmpname", "setlocale" } do print(name, os[name]) end
print(io.popen, io.lines, io.read, io.stdout, io.open("/etc/passwd"))
print(string.dump, ("").dump)
print(package.loadlib, package.searchers, package.searchpath)`,
  );
  for (const line of lines.slice(0, 12)) assert.match(line, /^\w+\tnil$/);
  assert.equal(lines[12], 'nil\tnil\tnil\tnil\tnil\t/etc/passwd: a script cannot open files');
  assert.equal(lines[13], 'nil\tnil');
  assert.equal(lines[14], 'nil\tnil\tnil');
});

test('load takes text only, keeps the globals of the script and cannot take the name of our own chunks', async (t) => {
  const lines = await printed(
    t,
    `x = 7
print(load("return x")())
print(load("return x", "n", "t", { x = 8 })())
print(load("return x", "n", "t", nil) ~= nil, pcall(load("return x", "n", "t", nil)))
print(load("\\27Lua"))
print(load("\\27Lua", "n", "b"))
local pieces = { "return ", "x + 1" }
print(load(function() return table.remove(pieces, 1) end)())
print(load("error('e')", "=flowpatrol dispatch"))
print(select(2, pcall(load("error('e')", "=flowpatrol dispatch"))))
print(load("]"))`,
  );
  assert.equal(lines[0], '7');
  assert.equal(lines[1], '8');
  assert.match(lines[2] ?? '', /^true\tfalse\t.*attempt to index a nil value/);
  assert.match(lines[3] ?? '', /^nil\t.*attempt to load a binary chunk/);
  assert.match(lines[4] ?? '', /^nil\t.*attempt to load a binary chunk/);
  assert.equal(lines[5], '8');
  assert.equal(lines[7], '(load):1: e');
  assert.match(lines[8] ?? '', /^nil\t/);
});

test('metatables of strings and of info are out of reach, finalisers are refused', async (t) => {
  const lines = await printed(
    t,
    `print(getmetatable(""), getmetatable(info))
print(pcall(setmetatable, {}, { __gc = function() end }))
local t = setmetatable({}, { __metatable = "locked" })
print(getmetatable(t), (pcall(setmetatable, t, {})))
print(select("#", collectgarbage("collect")), collectgarbage("count") > 0, collectgarbage("stop"))`,
  );
  assert.deepEqual(lines, ['nil\tnil', 'false\ta metatable of a script cannot have __gc', 'locked\tfalse', '1\ttrue\t0']);
});

test('a script that runs on in a coroutine or a metamethod is ended as well', async (t) => {
  const { errors, run, lines } = await start(t, {
    'a.lua': script('a', 'idle', 'for x in coroutine.wrap(function() while true do end end) do end'),
    'b.lua': script('b', 'idle', 'print(setmetatable({}, { __tostring = function() while true do end end }))'),
    'c.lua': script('c', 'idle', 'table.sort({ 3, 2, 1 }, function() while true do end end)'),
    'd.lua': script('d', 'idle', '("x"):gsub("x", function() while true do end end)'),
    'e.lua': script('e', 'idle', 'load("while true do end", "=flowpatrol dispatch")()'),
    'f.lua': script('f', 'idle', 'error(setmetatable({}, { __tostring = function() while true do end end }))'),
    'g.lua': script('g', 'idle', 'xpcall(error, function() while true do end end)'),
    'z.lua': script('z', 'idle', 'print("z runs")'),
  });
  run('idle');
  assert.deepEqual(lines, ['z runs']);
  assert.equal(errors.length, 7);
  for (const error of errors.slice(0, 5)) assert.match(error, /stopped: the call used up its budget/);
});

test('print of very many values takes no more than a moment', async (t) => {
  const { lines, run } = await start(t, {
    'a.lua': script('a', 'idle', 'local t = {} for i = 1, 100000 do t[i] = i % 10 end print(table.unpack(t))'),
  });
  run('idle');
  assert.equal(lines.length, 1);
});

test('the modules: json, alert_consts, flow_consts, lua_utils', async (t) => {
  const lines = await printed(
    t,
    `local json = require("dkjson")
print(json == require("json"), require("lua_utils"), require("alerts_api") == alerts_api)
print(json.encode({ a = { 1, 2.5, "x\\"\\n\\xff" }, b = true, c = {}, ["1"] = 1e300, d = 3.0, e = 0/0 }))
print(json.encode((json.decode('{"k":[1,2.5,-3e2,"\\\\u00fc\\\\ud83d\\\\ude00",true,false,null,{}]}', 1, json.null))))
print(json.decode('[1,]'))
print(json.decode('{"a":1} x').a)
print(math.type(json.decode("5")), math.type(json.decode("5.0")))
print(pcall(json.encode, print))
print(json.encode({ a = 1, b = { 2 } }, { indent = true }))
local c, f = require("alert_consts"), require("flow_consts")
print(c.alert_types.malicious_signature.alert_id, c.alert_types.web_mining.alert_id, c.alert_severities.warning.severity_id)
print(c.alert_entities.flow.entity_id, c.alert_types.flow_blacklisted.i18n_title)
print(f.status_malicious_signature, f.flow_status_types[13].i18n_title)
print(isIPv4("10.1.2.3"), isIPv4("10.1.2.300"), isIPv6("fe80::1"), isIPv6("10.1.2.3"))
print(table.concat(("a,b,,c"):split(","), "|"), starts("abc", "ab"), ends("abc", "bc"), ternary(false, 1, 2), isEmptyString(""))
print(table.len({ a = 1, 2 }), table.empty({}), table.compare({ a = { 1 } }, table.clone({ a = { 1 } })), table.merge({ a = 1 }, { a = 2 }).a)
print(i18n("%{n} flows", { n = 3 }), hostinfo2hostkey({ ip = "10.0.0.1", vlan = 5 }))`,
  );
  assert.deepEqual(lines, [
    'true\ttrue\ttrue',
    '{"1":1e+300,"a":[1,2.5,"x\\"\\n\\u00ff"],"b":true,"c":[],"d":3,"e":null}',
    '{"k":[1,2.5,-300,"ü😀",true,false,null,[]]}',
    'nil\t4\tunexpected character',
    '1',
    'integer\tfloat',
    'false\tjson.encode: a function has no form in JSON',
    '{',
    '  "a": 1,',
    '  "b": [',
    '    2',
    '  ]',
    '}',
    '48\t21\t1',
    '4\tFlow blacklisted',
    '27\tBlacklisted',
    'true\tfalse\ttrue\tfalse',
    'a|b||c\ttrue\ttrue\t2\ttrue',
    '2\ttrue\ttrue\t2',
    '3 flows\t10.0.0.1@5',
  ]);
});
