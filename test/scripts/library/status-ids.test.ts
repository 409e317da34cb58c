/** Scripts of each generation get and give the ids of statuses that their generation has; what leaves them are ours. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { E_RECORD } from '../../../src/flows/event.ts';
import { FIELDS } from '../../../src/flows/fields.ts';
import { R_PV, R_STATUS } from '../../../src/flows/record.ts';
import { idIn, NUMBERINGS, type Numbering, STATUSES } from '../../../src/flows/statuses.ts';
import { createEventView } from '../../../src/flows/view.ts';
import { createScriptCache } from '../../../src/scripts/cache.ts';
import { eventOf, fieldOf, type Harness, NAMES, start, type Values } from '../support.ts';
import { FLOW_OF_TLS, GENERATIONS } from './world.ts';

interface Flow {
  /** Our ids. */
  readonly set: readonly number[];
  readonly strongest?: number;
  readonly alerted?: number;
}

/** Runs a body of `protocolDetected` on a flow with these statuses. */
async function run(t: TestContext, generation: Numbering, body: string, { set, strongest, alerted }: Flow): Promise<Harness> {
  const map = set.reduce((sum, id) => sum + 2 ** id, 0);
  const values: Values = {
    ...FLOW_OF_TLS,
    status_map: map,
    'flow.status': strongest ?? set[0] ?? 0,
    ...(alerted === undefined ? {} : { alerted_status: alerted }),
  };
  const harness = await start(
    t,
    { 'a.lua': GENERATIONS[generation](body) },
    { names: NAMES, fields: FIELDS.map(({ key, type }) => fieldOf(key, type)), cache: createScriptCache({ now: () => 0 }) },
  );
  const event = eventOf(values);
  event[E_RECORD + R_PV] = 6;
  const data = new DataView(event.buffer, event.byteOffset);
  data.setUint32(E_RECORD + R_STATUS, map % 2 ** 32, true);
  data.setUint32(E_RECORD + R_STATUS + 4, Math.floor(map / 2 ** 32), true);
  const view = createEventView(NAMES);
  view.set(event, 0);
  harness.host.run(view, 'protocolDetected');
  assert.deepEqual(harness.errors, []);
  assert.equal(harness.reports()[0]?.generation, generation);
  return harness;
}

const linesOf = async (t: TestContext, generation: Numbering, body: string, flow: Flow): Promise<string[]> =>
  (await run(t, generation, body, flow)).lines;

/** Bits as the generation has them, as Lua prints the integer. */
const bitmap = (generation: Numbering, ids: readonly number[]): string => {
  const bits = STATUSES.filter(({ id }) => ids.includes(id)).map((status) => idIn(generation, status));
  return String(
    BigInt.asIntN(
      64,
      bits.reduce((sum, id) => (id === undefined ? sum : sum | (1n << BigInt(id))), 0n),
    ),
  );
};

const ALL = STATUSES.map(({ id }) => id).filter((id) => id !== 0);

for (const generation of NUMBERINGS) {
  const map = generation === '2019' ? 'flow.getStatus()["status_map"]' : 'flow.getStatus()';

  test(`${generation}: every bitmap has the bits of the generation`, async (t) => {
    const body = `print(${map}, flow.getScoreInfo().status_map, flow.getFullInfo()["status_map"], flow.getFullInfo().status_map)`;
    for (const set of [[], [13], [12, 30, 35, 44], ALL]) {
      const one = bitmap(generation, set);
      assert.deepEqual(await linesOf(t, generation, body, { set }), [[one, one, one, one].join('\t')], set.join(' '));
    }
  });

  test(`${generation}: each of its statuses is set, seen, cleared and triggered by its number, its entry and its name, and is the right one`, async (t) => {
    for (const status of STATUSES) {
      const id = idIn(generation, status);
      if (id === undefined || status.id === 0) continue;
      const { changes, alerts, lines } = await run(
        t,
        generation,
        `local entry = flow_consts.flow_status_types[${id}]
print(flow.isStatusSet(${id}), flow.setStatus(${id}, 1), flow.isStatusSet(entry), flow.setStatus(entry.name), flow.getScoreInfo().status_map)
flow.clearStatus(entry.name)
print(flow.isStatusSet(entry.status_key), flow.getScoreInfo().status_map)
flow.triggerStatus(entry, nil, 5)
print(flow.isStatusSet(${id}))`,
        { set: [] },
      );
      assert.deepEqual(lines, [`false\ttrue\ttrue\tfalse\t${bitmap(generation, [status.id])}`, 'false\t0', 'true'], status.name);
      assert.deepEqual(
        changes.flatMap((change) => (change.status === undefined ? [] : [`${change.status.id} ${change.status.set}`])),
        [`${status.id} true`, `${status.id} false`, `${status.id} true`],
        status.name,
      );
      assert.deepEqual(
        alerts.map((alert) => alert.status),
        [status.id],
        status.name,
      );
    }
  });

  test(`${generation}: statuses of other generations do not exist`, async (t) => {
    const strange = STATUSES.filter((status) => idIn(generation, status) === undefined).map(({ name }) => name);
    // put together, or the name would say that the script is one of 4.2
    const body = `for name in ("${strange.map((name) => name.replace('status_', '')).join(' ')}"):gmatch("%S+") do
  name = "status" .. "_" .. name
  if flow_consts[name] or flow_consts.status_types[name] or require("flow_keys").ntopng[name] or pcall(flow.setStatus, name) then print(name) end
end`;
    const { lines, changes } = await run(t, generation, body, { set: [] });
    assert.deepEqual(lines, []);
    assert.deepEqual(changes, []);
    assert.equal(strange.length, { '2019': 0, '4.0': 12, '4.2': 4 }[generation]);
  });
}

test('4.x: the strongest status is the strongest that the generation knows; in 4.2 flow.status is that of the alert', async (t) => {
  // put together, or it would be a script of 4.2
  const body = `local full = flow.getFullInfo()
print(flow.getPredominantStatus(), full["flow.status"], full.alerted_status, flow["get" .. "AlertedStatus"]())`;
  const of = async (generation: Numbering, flow: Flow): Promise<string[]> => await linesOf(t, generation, body, flow);
  const both: Flow = { set: [34, 12, 33], strongest: 34 };
  assert.deepEqual(await of('2019', both), ['34\t34\tnil\t0']);
  assert.deepEqual(await of('4.0', both), ['16\t16\tnil\t0']);
  assert.deepEqual(await of('4.2', both), ['32\t0\tnil\t0']);
  assert.deepEqual(await of('4.0', { set: [34] }), ['0\t0\tnil\t0']);
  const alerted: Flow = { set: [13, 12], alerted: 13 };
  assert.deepEqual(await of('2019', alerted), ['13\t13\t13\t13']);
  assert.deepEqual(await of('4.0', alerted), ['1\t1\t1\t1']);
  assert.deepEqual(await of('4.2', { set: [12, 13], strongest: 12, alerted: 13 }), ['16\t1\t1\t1']);
  assert.deepEqual(await of('4.0', { set: [34], alerted: 34 }), ['0\t0\tnil\t0']);
});

test('4.2: a pair of flow_keys names a status, and a script that names a status of 4.2 alone is one of 4.2', async (t) => {
  const pair = 'flow.setStatus(require("flow_keys").ntopng.status_blacklisted)';
  const { changes } = await run(t, '4.2', pair, { set: [] });
  assert.deepEqual(
    changes.map((change) => change.status),
    [{ id: 13, set: true }],
  );
  const { reports } = await start(t, { 'a.lua': GENERATIONS['4.0']('flow.isStatusSet(flow_consts.status_flow_risk)') });
  assert.equal(reports()[0]?.generation, '4.2');
});

test('4.x: the full info is a table of its own with all fields, also by pairs, next, rawget and as JSON, and behind the call', async (t) => {
  for (const generation of ['4.0', '4.2'] as const) {
    const map = bitmap(generation, [12, 13]);
    const lines = await linesOf(
      t,
      generation,
      `local full = flow.getFullInfo()
print(full == flow.getFullInfo(), full["cli.ip"], full["no such"], full[nil], rawget(full, "srv.port"))
full["cli.ip"], full.mine, full["srv.ip"] = nil, 1, "x"
print(full["cli.ip"], full.mine, full["srv.ip"], flow.getFullInfo()["cli.ip"], flow.getInfo()["srv.ip"])
local seen, count = {}, 0
for key, value in pairs(full) do
  assert(type(key) == "string" and not seen[key], tostring(key))
  seen[key], count = value, count + 1
end
print(seen["cli.ip"], seen.mine, seen["srv.ip"], seen.status_map, seen.bytes, count > 60)
for key in next, flow.getFullInfo() do count = count - 1 end
print(count, require("json").decode(require("json").encode(flow.getFullInfo())).status_map, rawget(flow.getFullInfo(), "status_map"))
flow.setStatus(flow_consts.status_types.status_longlived)
print(flow.getFullInfo().status_map, full.status_map)`,
      { set: [12, 13], strongest: 13 },
    );
    assert.deepEqual(lines, [
      'false\t192.168.1.20\tnil\tnil\t443',
      'nil\t1\tx\t192.168.1.20\t203.0.113.7',
      `nil\t1\tx\t${map}\t2698\ttrue`,
      `0\t${map}\t${map}`,
      `${bitmap(generation, [12, 13, 19])}\t${map}`,
    ]);
  }
});
