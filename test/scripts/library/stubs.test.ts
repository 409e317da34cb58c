/** The LuaLS stubs are what a script finds: nothing more, nothing less, in every generation. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FIELDS } from '../../../src/flows/fields.ts';
import { createScriptCache } from '../../../src/scripts/cache.ts';
import { declared, type Member } from '../../../src/scripts/lua/library/declaration.ts';
import { FLOW } from '../../../src/scripts/lua/library/flow.ts';
import { GLOBALS, STRING, TABLE } from '../../../src/scripts/lua/library/globals.ts';
import { MODULES } from '../../../src/scripts/lua/library/modules.ts';
import { INTERFACE, NTOP } from '../../../src/scripts/lua/library/ntop.ts';
import { luaStubs, settings } from '../../../src/scripts/lua/library/stubs.ts';
import { MODULE_NAMES } from '../../../src/scripts/lua/library.ts';
import { LuaState } from '../../../src/scripts/lua/state.ts';
import { fieldOf, start } from '../support.ts';
import { eventOfTls, GENERATIONS } from './world.ts';

/** What Lua 5.4 has itself, as far as a script gets it. */
const STANDARD = `_G _VERSION assert collectgarbage coroutine error getmetatable io ipairs load math next os package pairs pcall print
  rawequal rawget rawlen rawset require select setmetatable string table tonumber tostring type utf8 xpcall`.split(/\s+/);
const STANDARD_STRING = 'byte char find format gmatch gsub len lower match pack packsize rep reverse sub unpack upper'.split(' ');
const STANDARD_TABLE = 'concat insert move pack remove sort unpack'.split(' ');

/** `container.member kind` of all that a script finds, and `container` = a module that is another one. */
const LIST = `
local function kind(value)
  local metatable = type(value) == "table" and getmetatable(value)
  return metatable and metatable.__call and "function" or type(value)
end
local function list(name, t)
  for member, value in pairs(t) do
    if type(member) == "string" then print(name .. " " .. member .. " " .. kind(value)) end
  end
end
for name in ("${MODULE_NAMES.join(' ')}"):gmatch("%S+") do
  local module = require(name)
  if type(module) == "table" then list(name, module) else print(name .. " = " .. tostring(module)) end
end
list("flow", flow) list("ntop", ntop) list("interface", interface) list("_G", _G) list("string", string) list("table", table)
`;

async function world(t: Parameters<typeof start>[0], generation: keyof typeof GENERATIONS): Promise<Map<string, Map<string, string>>> {
  const { lines, errors, host } = await start(
    t,
    { 'a.lua': GENERATIONS[generation](LIST) },
    { cache: createScriptCache({ now: () => 0 }) },
  );
  host.run(eventOfTls(), 'protocolDetected');
  assert.deepEqual(errors, []);
  const found = new Map<string, Map<string, string>>();
  for (const line of lines) {
    const [container = '', member = '', kind = ''] = line.split(' ');
    const members = found.get(container) ?? new Map<string, string>();
    found.set(container, members.set(member, kind));
  }
  return found;
}

const without = (found: ReadonlyMap<string, string> | undefined, known: readonly string[]): string[] =>
  [...(found ?? new Map<string, string>()).keys()].filter((name) => !known.includes(name)).sort();
const namesOf = (members: readonly Member[]): string[] => members.map(({ name }) => name).sort();

for (const generation of Object.keys(GENERATIONS) as (keyof typeof GENERATIONS)[]) {
  test(`every member has its stub, and every stub its member: ${generation}`, async (t) => {
    const found = await world(t, generation);
    assert.deepEqual(without(found.get('_G'), [...STANDARD, 'flow', 'ntop', 'interface']), namesOf(GLOBALS));
    assert.deepEqual(without(found.get('string'), STANDARD_STRING), namesOf(STRING));
    assert.deepEqual(without(found.get('table'), STANDARD_TABLE), namesOf(TABLE));
    assert.deepEqual(without(found.get('flow'), []), namesOf(FLOW));
    assert.deepEqual(without(found.get('ntop'), []), namesOf(NTOP));
    assert.deepEqual(without(found.get('interface'), []), namesOf(INTERFACE));
    assert.deepEqual(Object.keys(MODULES).sort(), MODULE_NAMES);
    for (const [name, { members, is }] of Object.entries(MODULES)) {
      if (is === undefined) {
        const numbers =
          name === 'flow_consts' ? [...(found.get(name)?.keys() ?? [])].filter((member) => /^status_(?!types)/.test(member)) : [];
        assert.deepEqual(without(found.get(name), numbers), namesOf(members), name);
      }
    }
    for (const [container, members] of [
      ['_G', GLOBALS],
      ['flow', FLOW],
      ['ntop', NTOP],
      ['interface', INTERFACE],
    ] as const) {
      for (const { name, parameters, type } of members) {
        const kind = found.get(container)?.get(name);
        if (parameters !== undefined) assert.equal(kind, 'function', `${container}.${name}`);
        else if (type === 'integer') assert.equal(kind, 'number', `${container}.${name}`);
      }
    }
  });

  test(`what getters return is what their stub says: ${generation}`, async (t) => {
    const getters = FLOW.filter(({ name, parameters }) => parameters?.length === 0 || name === 'hasRisk');
    const body = getters.map(
      ({ name }) =>
        `print("${name}", (function(...) return select("#", ...) == 0 and "nothing" or math.type(...) or type(...) end)(flow.${name}()))`,
    );
    const { lines, errors, host } = await start(
      t,
      { 'a.lua': GENERATIONS[generation](body.join('\n')) },
      { cache: createScriptCache({ now: () => 0 }), fields: FIELDS.map((field) => fieldOf(field.key, field.type)) },
    );
    host.run(eventOfTls(), 'protocolDetected');
    assert.deepEqual(errors, []);
    const allowed = (returns: readonly string[] | undefined): string[] =>
      returns === undefined || returns.length === 0
        ? ['nothing', 'nil']
        : (returns[0] as string)
            .split(/\|(?![^{]*\})/)
            .flatMap((type) => [type.replace(/\?$/, ''), ...(type.endsWith('?') ? ['nil'] : [])])
            .flatMap((type) => (/^(\{|table|flowpatrol)/.test(type) ? ['table'] : type === 'number' ? ['float', 'integer'] : [type]));
    for (const [i, line] of lines.entries()) {
      const [name, kind] = line.split('\t') as [string, string];
      assert.ok(allowed(getters[i]?.returns).includes(kind), `flow.${name} returned ${kind}, its stub says ${getters[i]?.returns}`);
    }
    assert.equal(lines.length, getters.length);
  });
}

test('the stubs are Lua', async () => {
  const state = await LuaState.create(1);
  for (const [name, text] of Object.entries(luaStubs())) state.load(Buffer.from(text), `@${name}`);
  state.load(readFileSync(new URL('../../../types/info.lua', import.meta.url)), '@info.lua');
  state.close();
});

test('every type that a stub speaks of is declared', () => {
  const texts = [...Object.values(luaStubs()), readFileSync(new URL('../../../types/info.lua', import.meta.url), 'utf8')];
  const all = texts.join('\n');
  const classes = new Set([...all.matchAll(/---@(?:class|alias) ([\w.]+)/g)].map(([, name]) => name));
  const used = [...all.matchAll(/\bflowpatrol\.[\w.]+\b/g)].map(([name]) => name);
  assert.deepEqual(
    [...new Set(used)].filter((name) => !classes.has(name)),
    [],
  );
  assert.deepEqual(
    [...all.matchAll(/---@(\w+)/g)]
      .map(([, tag]) => tag)
      .filter((tag) => !/^(param|return|field|type|class|alias|overload|meta)$/.test(tag ?? '')),
    [],
  );
});

test('an editor that opens scripts/ finds them, and no stale file is left among them', () => {
  const root = new URL('../../../', import.meta.url);
  assert.equal(readFileSync(new URL('scripts/.luarc.json', root), 'utf8'), settings('../types'));
  assert.deepEqual(readdirSync(new URL('types/lua/', root)).sort(), Object.keys(luaStubs()).sort());
});

test('a declaration that cannot be read is an error', () => {
  assert.throws(() => declared('nonsense here'), /not a declaration: nonsense here/);
  assert.throws(() => declared('f(a b): integer'), /not a parameter: a b/);
  assert.deepEqual(declared('f(a?: table<string, integer>, ...: any): integer, string? -- doc'), [
    {
      name: 'f',
      doc: 'doc',
      parameters: [
        { name: 'a', type: 'table<string, integer>', optional: true },
        { name: '...', type: 'any', optional: false },
      ],
      returns: ['integer', 'string?'],
    },
  ]);
});
