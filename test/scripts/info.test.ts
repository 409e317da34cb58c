/** The lazy `info` against an eager table with the same values: whatever a script does, it sees the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { E_CLIENT, E_RECORD, E_SERVER } from '../../src/flows/event.ts';
import { type FieldValue, fieldByKey } from '../../src/flows/fields.ts';
import { R_PV } from '../../src/flows/record.ts';
import { createEventView } from '../../src/flows/view.ts';
import { PV_IPV6 } from '../../src/packet/batch.ts';
import { eventOf, FIELDS_OF_TEST, NAMES, script, start, TYPICAL, type Values } from './support.ts';

const KEYS = [...FIELDS_OF_TEST.map((field) => field.key), 'own', 'other'];

const anyOf = (type: string): fc.Arbitrary<FieldValue> => {
  if (type === 'int') return fc.integer({ min: -(2 ** 40), max: 2 ** 40 });
  if (type === 'float') return fc.constantFrom(0.5, -1.25, 1e12 + 0.5, 3.75);
  if (type === 'bool') return fc.boolean();
  if (type === 'table') return fc.record({ type: fc.integer({ min: 0, max: 255 }), unreach: fc.record({ src: fc.constant('10.0.0.1') }) });
  return fc.string({ maxLength: 60, unit: fc.constantFrom('a', 'Z', '0', '.', '-', '\u00e9', '\u00ff', '\u0001') });
};

const values: fc.Arbitrary<Values> = fc
  .record(Object.fromEntries(FIELDS_OF_TEST.map((field) => [field.key, anyOf(field.type)])), { requiredKeys: [] })
  .map((of) => of as Values);

/** One thing a script can do with a table `t`, as Lua; what it shows goes through `show`. */
const action: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...KEYS).map((key) => `show(t["${key}"])`),
  fc.constantFrom(...KEYS).map((key) => `t["${key}"] = nil`),
  fc.constantFrom(...KEYS).map((key) => `t["${key}"] = 5`),
  fc.constantFrom(...KEYS).map((key) => `rawset(t, "${key}", "w")`),
  fc.constantFrom(...KEYS).map((key) => `show(rawget(t, "${key}"))`),
  fc.constantFrom(
    'show(sorted(pairs(t)))',
    'show(sorted(next, t))',
    'show(#t, rawlen(t))',
    't[#t + 1] = "i"',
    'show(next(t) == nil)',
    'show(getmetatable(t))',
    'setmetatable(t, { __index = function(_, k) return "m" .. tostring(k) end })',
    'show(require("json").encode(t))',
    'show(type(t), rawequal(t, t))',
    'for k, v in pairs(t) do if type(v) == "number" then t[k] = v + 1 end end',
    't[#t + 1] = "a" table.insert(t, "b") table.insert(t, 1, "c") show(table.concat(t, ",", 1, #t))',
    'show(table.remove(t), #t)',
    't[1], t[2] = 2, 1 table.sort(t, function(a, b) return tostring(a) < tostring(b) end) show(t[1], t[2], table.unpack(t, 1, 2))',
    'table.move({ "m", "n" }, 1, 2, 1, t) show(t[1], t[2]) show(#table.move(t, 1, 2, 1, {}))',
    'show(table.len(t), table.empty(t), table.contains(t, 5), hasKey("own", t))',
    'show(sorted(pairs(table.clone(t)))) show(table.compare(t, table.clone(t)))',
    'show(sorted(pairs(table.merge(t, { own = "merged" }))))',
    'local keys = {} for k in pairsByKeys(t) do keys[#keys + 1] = tostring(k) end show(table.concat(keys, " "))',
    'for i, v in ipairs(t) do show(i, v) end',
    'show(next(t, next(t)) == nil)',
    'show(select(2, pcall(next, t, "no such key")))',
    'show(getmetatable(t) == nil, rawequal(t, t), t == t)',
    'show(pcall(rawset, t, nil, 1))',
    'show(require("json").encode({ t }))',
    'for k in pairs(t) do t[k] = nil end show(next(t))',
  ),
);

const PRELUDE = `local function text(v)
  if type(v) == "function" then return "function" end
  if type(v) ~= "table" then return (math.type(v) or type(v)) .. ":" .. tostring(v) end
  local parts = {}
  for k, m in pairs(v) do parts[#parts + 1] = tostring(k) .. "=" .. text(m) end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end
local function show(...)
  local parts = {}
  for i = 1, select("#", ...) do parts[i] = text((select(i, ...))) end
  print(table.concat(parts, " "))
end
local function sorted(iterate, t, key)
  local parts = {}
  for k, v in iterate, t, key do parts[#parts + 1] = tostring(k) .. "=" .. text(v) end
  table.sort(parts)
  return table.concat(parts, ",")
end
local kept = {}
`;

const luaText = (text: string): string =>
  `"${[...Buffer.from(text, 'utf8')].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}"`;
function luaValue(value: FieldValue): string {
  if (typeof value === 'string') return luaText(value);
  if (typeof value !== 'object') return String(value);
  return `{ ${Object.entries(value)
    .map(([key, member]) => `["${key}"] = ${luaValue(member)}`)
    .join(', ')} }`;
}
/** Test strings are bytes: what JSON carries as one character is one byte in Lua. */
const latin1Value = (value: FieldValue): string =>
  typeof value === 'string'
    ? `"${[...Buffer.from(value, 'latin1')].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}"`
    : luaValue(value);

const eagerTable = (of: Values): string =>
  `{ ${Object.entries(of)
    .map(([key, value]) => `["${key}"] = ${latin1Value(value)}`)
    .join(', ')} }`;

test('a lazy info and an eager table show the same, in its event and kept beyond it', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      // Events, each with the actions of its callback; then actions on the kept tables of the earlier events.
      fc.array(fc.tuple(values, fc.array(action, { maxLength: 6 }), fc.array(action, { maxLength: 4 })), { minLength: 1, maxLength: 14 }),
      async (events) => {
        const program = (make: (index: number) => string): string => {
          const steps = events.map(
            ([, now, later], i) => `[${i + 1}] = function(info)
  local t = ${make(i)}
  kept[${i + 1}] = t
  ${now.join('\n  ')}
  if ${i} % 2 == 1 then
    t = kept[${i}]
    ${later.join('\n    ')}
  end
  if ${i} == ${events.length - 1} then
    for i = 1, ${events.length} do show(sorted(pairs(kept[i]))) end
  end
end`,
          );
          return `${PRELUDE}local step = 0
local steps = { ${steps.join(',\n')} }
local script = { key = "s", setup = function() return true end }
function script.idle(info)
  step = step + 1
  steps[step](info)
end
return script`;
        };
        const lazy = await start(t, { 's.lua': program(() => 'info') });
        const eager = await start(t, { 's.lua': program((i) => eagerTable(events[i]?.[0] ?? {})) });
        for (const [of] of events) {
          lazy.run('idle', of);
          eager.run('idle', of);
        }
        assert.deepEqual(lazy.errors, eager.errors);
        assert.deepEqual(lazy.lines, eager.lines);
      },
    ),
    { numRuns: 40 },
  );
});

test('fields that are handed over after a while read the same as fetched ones', async (t) => {
  const { lines, errors, run } = await start(t, {
    'a.lua': script('a', 'idle', 'print(info["cli.ip"], info.bytes, math.type(info.bytes), info.host_server_name, info.unknown)'),
  });
  for (let i = 0; i < 20; i++) run('idle', i % 3 === 2 ? { 'cli.ip': `10.0.0.${i}` } : { ...TYPICAL, bytes: 2 ** 40 + i });
  assert.deepEqual(errors, []);
  assert.deepEqual(
    lines,
    Array.from({ length: 20 }, (_, i) =>
      i % 3 === 2 ? `10.0.0.${i}\tnil\tnil\tnil\tnil` : `192.168.1.20\t${2 ** 40 + i}\tinteger\tnil\tnil`,
    ),
  );
});

test('whole numbers of every size are the same, fetched and handed over', async (t) => {
  const { lines, run } = await start(t, { 'a.lua': script('a', 'idle', 'print(("%d"):format(info.bytes), math.type(info.bytes))') });
  const sizes = [0, 1, -1, 255, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32 - 1, 2 ** 32, -(2 ** 32), 2 ** 53 - 1, -(2 ** 53 - 1)];
  for (const bytes of [...sizes, ...sizes]) run('idle', { ...TYPICAL, bytes });
  assert.deepEqual(
    lines,
    [...sizes, ...sizes].map((bytes) => `${bytes}\tinteger`),
  );
});

test('addresses are the same, fetched and handed over', async (t) => {
  const ends = ['cli.ip', 'srv.ip'].map((key) => {
    const field = fieldByKey.get(key);
    assert.ok(field !== undefined);
    return field;
  });
  const { lines, host } = await start(
    t,
    { 'a.lua': script('a', 'idle', 'print(info["cli.ip"], info["srv.ip"], math.type(info["cli.ip"]))') },
    { fields: ends },
  );
  const view = createEventView(NAMES);
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.array(fc.constantFrom(0, 9, 10, 99, 100, 199, 200, 255), { minLength: 16, maxLength: 16 }),
      fc.boolean(),
      (client, server, ipv6) => {
        const bytes = eventOf({});
        bytes.set(client, E_CLIENT);
        bytes.set(server, E_SERVER);
        new DataView(bytes.buffer).setInt32(E_RECORD + R_PV, ipv6 ? PV_IPV6 : 6, true);
        view.set(bytes, 0);
        host.run(view, 'idle');
        assert.equal(lines.pop(), `${view.client()}\t${view.server()}\tnil`);
      },
    ),
    { numRuns: 300 },
  );
});

test('a table kept for thousands of events still has the values of its own', async (t) => {
  const { lines, errors, run } = await start(t, {
    'a.lua': script(
      'a',
      'idle',
      'first = first or info if info.duration == 3000 then print(first.bytes, first["cli.port"], first.duration) end',
    ),
  });
  for (let i = 1; i <= 3000; i++) run('idle', { ...TYPICAL, bytes: i, 'cli.port': i, duration: i });
  assert.deepEqual(errors, []);
  assert.deepEqual(lines, ['1\t1\t1']);
});

test('info reads like a table of one getter group', async (t) => {
  const { lines, run } = await start(t, {
    'a.lua': script('a', 'idle', 'tprint(flow.getProtocols()) tprint(flow.getClientIp()) print(next(flow.getSSHInfo()))'),
  });
  run('idle');
  assert.deepEqual(lines, ['proto.l4 string "TCP"', 'proto.ndpi string "HTTP"', 'cli.ip string "192.168.1.20"', 'nil']);
});
