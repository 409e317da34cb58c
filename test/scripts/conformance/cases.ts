/**
 * What scripts of both languages have to do alike: the same script in Lua and in TypeScript, events, and what comes of them.
 * conformance.test.ts runs each with each runtime.
 */
import type { Callback } from '../../../src/flows/event.ts';
import { TYPICAL, type Values } from '../support.ts';

export interface Case {
  readonly name: string;
  /** Bodies of files, in the order of their names. */
  readonly lua: readonly string[];
  readonly typescript: readonly string[];
  readonly events: readonly (readonly [callback: Callback, values?: Values])[];
  /** Lines printed. */
  readonly lines?: readonly string[];
  /** Type, severity and, parsed, what goes with it. */
  readonly alerts?: readonly (readonly [type: string, severity: string, info?: unknown])[];
  /** `+13` a status was set, `-13` cleared, `flow=7` a score. */
  readonly changes?: readonly string[];
  /** `callback key line`: calls that failed. */
  readonly failed?: readonly string[];
  /** State of each script, where it is not `on`. */
  readonly states?: readonly string[];
}

/** A script of 2019. */
const lua = (key: string, members: string, more = ''): string => `local script = { key = "${key}" ${more} }
function script.setup() return true end
${members}
return script
`;
const ts = (key: string, members: string, more = ''): string => `import { cache, defineScript, shortFlowLabel } from 'flowpatrol';
export default defineScript({ key: '${key}', ${more}
${members}
});
`;

const idle: Case['events'] = [['idle']];
const UMLAUT = Buffer.from('mün.example').toString('latin1');

export const CASES: readonly Case[] = [
  {
    name: 'fields of every type, and one that is not there',
    lua: [
      lua(
        'a',
        `function script.idle(info)
  print(info["cli.ip"], info.bytes, info.throughput_bps, tostring(info["flow.idle"]), tostring(info.icmp == nil), info["srv.port"] + 1)
end`,
      ),
    ],
    typescript: [
      ts(
        'a',
        `idle(info) {
  console.log([info['cli.ip'], info.bytes, info.throughput_bps, info['flow.idle'], info.icmp === undefined, info['srv.port'] + 1].join('\\t'));
}`,
      ),
    ],
    events: idle,
    lines: ['192.168.1.20\t2698\t1234.5\tfalse\ttrue\t81'],
  },
  {
    name: 'tables within info',
    lua: [lua('a', 'function script.idle(info) print(info.icmp.type, info.icmp.unreach.src_ip) end')],
    typescript: [ts('a', 'idle(info) { console.log([info.icmp?.type, info.icmp?.unreach?.src_ip].join("\\t")); }')],
    events: [['idle', { ...TYPICAL, icmp: { type: 3, unreach: { src_ip: '10.0.0.1' } } }]],
    lines: ['3\t10.0.0.1'],
  },
  {
    name: 'each callback is called by its name',
    lua: [
      lua(
        'a',
        `for _, name in ipairs({ "protocolDetected", "statusChanged", "periodicUpdate", "idle" }) do
  script[name] = function() print(name) end
end`,
      ),
    ],
    typescript: [
      ts(
        'a',
        `protocolDetected() { console.log('protocolDetected'); }, statusChanged() { console.log('statusChanged'); },
  periodicUpdate() { console.log('periodicUpdate'); }, idle() { console.log('idle'); }`,
      ),
    ],
    events: [['protocolDetected'], ['statusChanged'], ['periodicUpdate'], ['idle'], ['protocolDetected']],
    lines: ['protocolDetected', 'statusChanged', 'periodicUpdate', 'idle', 'protocolDetected'],
  },
  {
    name: 'an alert with what goes with it',
    lua: [
      lua(
        'a',
        `function script.protocolDetected(info)
  alerts_api.storeFlowAlert(alert_consts.alert_types.flow_blacklisted, alert_consts.alert_severities.error, { host = info.host_server_name, list = { 1, 2 } })
  flow.storeAlert(alert_consts.alert_types.web_mining.alert_id, alert_consts.alert_severities.info.severity_id)
end`,
      ),
    ],
    typescript: [
      ts(
        'a',
        `protocolDetected(info, flow) {
  flow.alert('flow_blacklisted', 'error', { host: info.host_server_name, list: [1, 2] });
  flow.alert('web_mining', 'info');
}`,
      ),
    ],
    events: [['protocolDetected', { ...TYPICAL, host_server_name: UMLAUT }]],
    alerts: [
      ['flow_blacklisted', 'error', { host: 'mün.example', list: [1, 2] }],
      ['web_mining', 'info'],
    ],
  },
  {
    name: 'the whole info goes into an alert',
    lua: [
      lua(
        'a',
        'function script.idle(info) alerts_api.storeFlowAlert(alert_consts.alert_types.ids_alert, alert_consts.alert_severities.warning, info) end',
      ),
    ],
    typescript: [ts('a', "idle(info, flow) { flow.alert('ids_alert', 'warning', info); }")],
    events: [['idle', { ...TYPICAL, host_server_name: UMLAUT }]],
    alerts: [['ids_alert', 'warning', { ...TYPICAL, host_server_name: 'mün.example' }]],
  },
  {
    name: 'variables live from event to event',
    lua: [
      lua(
        'a',
        'local count, total = 0, 0\nfunction script.idle(info) count, total = count + 1, total + info.bytes print(count, total) end',
      ),
    ],
    typescript: [
      `let count = 0;\nlet total = 0;\n${ts('a', 'idle(info) { count++; total += info.bytes; console.log([count, total].join("\\t")); }')}`,
    ],
    events: [['idle'], ['idle', { ...TYPICAL, bytes: 2 }], ['idle']],
    lines: ['1\t2698', '2\t2700', '3\t5398'],
  },
  {
    name: 'order by prio, then file; writes are seen by later scripts, removed fields stay removed, all is new in the next event',
    lua: [
      lua('a', 'function script.idle(info) print("a", tostring(info.by), tostring(info["cli.ip"])) info.by = "a" end'),
      lua(
        'b',
        'function script.idle(info) print("b", tostring(info.by), info["cli.ip"]) info.by = "b" info["cli.ip"] = nil end',
        ', prio = 5',
      ),
      lua('c', 'function script.idle(info) print("c", info.by, tostring(info["cli.ip"])) end'),
    ],
    typescript: [
      ts('a', "idle(info: any) { console.log(['a', info.by ?? 'nil', info['cli.ip'] ?? 'nil'].join('\\t')); info.by = 'a'; }"),
      ts(
        'b',
        "idle(info: any) { console.log(['b', info.by ?? 'nil', info['cli.ip']].join('\\t')); info.by = 'b'; delete info['cli.ip']; }",
        'prio: 5,',
      ),
      ts('c', "idle(info: any) { console.log(['c', info.by, info['cli.ip'] ?? 'nil'].join('\\t')); }"),
    ],
    events: [['idle'], ['idle']],
    lines: [0, 1].flatMap(() => ['b\tnil\t192.168.1.20', 'a\tb\tnil', 'c\ta\tnil']),
  },
  {
    name: 'a call that fails is told with its line, the others run',
    lua: [lua('a', 'function script.idle(info)\n  local x = info.nothing.at_all\nend'), lua('b', 'function script.idle() print("b") end')],
    typescript: [ts('a', 'idle(info: any) {\n  const x = info.nothing.at_all;\n}'), ts('b', "idle() { console.log('b'); }")],
    events: [['idle'], ['idle']],
    lines: ['b', 'b'],
    failed: ['idle a 4', 'idle a 4'],
  },
  {
    name: 'what a call did before it failed stays',
    lua: [lua('a', 'function script.idle(info)\n  print("before")\n  flow.storeAlert(21, 1)\n  error("now")\nend')],
    typescript: [
      ts('a', "idle(info, flow) {\n  console.log('before'); flow.alert('web_mining', 'warning');\n  throw new Error('now');\n}"),
    ],
    events: idle,
    lines: ['before'],
    alerts: [['web_mining', 'warning']],
    failed: ['idle a'],
  },
  {
    name: 'a file that does not compile, one without a key and one that is switched off by its setup',
    lua: [
      'local = 5',
      'return { setup = function() return true end }',
      'return { key = "off", setup = function() return false end, idle = function() print("never") end }',
    ],
    typescript: [
      'const = 5;',
      'export default {};',
      "export default { key: 'off', setup: () => false, idle() { console.log('never'); } };",
    ],
    events: idle,
    states: ['error', 'error', 'off by setup'],
  },
  {
    name: 'statuses and scores',
    lua: [
      lua(
        'a',
        `function script.idle(info)
  local types = flow_consts.status_types
  flow.setStatus(types.status_longlived)
  flow.clearStatus(types.status_longlived)
  flow.setStatus(types.status_blacklisted)
  print(tostring(flow.isStatusSet(types.status_blacklisted)), tostring(flow.isStatusSet(types.status_longlived)))
  flow.setScore(7)
  flow.setClientScore(8)
  print(flow.getScore(), flow.getClientScore())
end`,
      ),
    ],
    typescript: [
      ts(
        'a',
        `idle(info, flow) {
  flow.setStatus('longlived');
  flow.clearStatus('longlived');
  flow.setStatus('blacklisted');
  console.log([flow.isStatusSet('blacklisted'), flow.isStatusSet('longlived')].join('\\t'));
  flow.setScore(7);
  flow.setScore(8, 'client');
  console.log([flow.score(), flow.score('client')].join('\\t'));
}`,
      ),
    ],
    events: idle,
    lines: ['true\tfalse', '7\t8'],
    changes: ['+19', '-19', '+13', 'flow=7', 'client=8'],
  },
  {
    name: 'the cache: texts, numbers, hashes, sets, lists',
    lua: [
      lua(
        'a',
        `function script.idle(info)
  ntop.setCache("k", info.host_server_name)
  ntop.setHashCache("h", "f", "1")
  ntop.setMembersCache("s", "b")
  ntop.setMembersCache("s", "a")
  ntop.rpushCache("l", "1")
  ntop.rpushCache("l", "2")
  print(ntop.getCache("k"), ntop.incrCache("n"), ntop.incrCache("n", 5), ntop.getHashCache("h", "f"))
  print(table.concat(ntop.getMembersCache("s"), ","), ntop.llenCache("l"), ntop.lpopCache("l"), #ntop.getCache("none"))
end`,
      ),
    ],
    typescript: [
      ts(
        'a',
        `idle(info) {
  cache.set('k', info.host_server_name!);
  cache.hashSet('h', 'f', '1');
  cache.setAdd('s', 'b');
  cache.setAdd('s', 'a');
  cache.listPush('l', '1', 'right');
  cache.listPush('l', '2', 'right');
  console.log([cache.get('k'), cache.increment('n'), cache.increment('n', 5), cache.hashGet('h', 'f')].join('\\t'));
  console.log([cache.setMembers('s'), cache.listLength('l'), cache.listPop('l', 'left'), (cache.get('none') ?? '').length].join('\\t'));
}`,
      ),
    ],
    events: [['idle', { ...TYPICAL, host_server_name: UMLAUT }]],
    lines: ['mün.example\t1\t6\t1', 'a,b\t2\t1\t0'],
  },
  {
    name: 'time is the traffic’s',
    lua: [lua('a', 'function script.idle() print(os.time()) end')],
    typescript: [ts('a', 'idle() { console.log(Math.floor(Date.now() / 1000)); }')],
    events: idle,
    lines: ['1569859250'],
  },
  {
    name: 'the flow as a label',
    lua: [lua('a', 'function script.idle(info) print(shortFlowLabel(info)) end')],
    typescript: [ts('a', 'idle(info) { console.log(shortFlowLabel(info)); }')],
    events: [['idle'], ['idle', { ...TYPICAL, 'cli.ip': 'fe80::1', 'srv.port': 0 }]],
    lines: ['[TCP] 192.168.1.20:51514 -> 203.0.113.7:80 [HTTP]', '[TCP] [fe80::1]:51514 -> 203.0.113.7 [HTTP]'],
  },
  {
    name: 'lines of output: one each, safe on a terminal',
    lua: [lua('a', 'function script.idle() print("two\\nlines") print("\\27[31mred") end')],
    typescript: [ts('a', "idle() { console.log('two\\nlines'); console.log('\\x1b[31mred'); }")],
    events: idle,
    lines: ['two', 'lines', '\\x1b[31mred'],
  },
  {
    name: 'a filter on the IP protocol',
    lua: [
      'local script = { key = "a", l4_proto = "udp", hooks = {} }\nfunction script.hooks.all(now) print("udp") end\nreturn script',
      lua('b', 'function script.idle() print("any") end'),
    ],
    typescript: [ts('a', "idle() { console.log('udp'); }", "filter: { l4: 'udp' },"), ts('b', "idle() { console.log('any'); }")],
    events: idle,
    lines: ['any'],
  },
  {
    name: 'scores beyond their range become the nearest one',
    lua: [
      lua(
        'a',
        `function script.idle(info)
  for _, score in ipairs({ -5, 2.9, 1000000 }) do flow.setScore(score) flow.setClientScore(score) end
end`,
      ),
    ],
    typescript: [
      ts('a', "idle(info, flow) { for (const score of [-5, 2.9, 1000000]) { flow.setScore(score); flow.setScore(score, 'client'); } }"),
    ],
    events: idle,
    changes: ['flow=0', 'client=0', 'flow=2', 'client=2', 'flow=65534', 'client=65534'],
  },
  {
    name: 'an alert with a severity that cannot be is none, and one with a type that cannot be',
    lua: [
      lua('a', 'function script.idle(info)\n  flow.storeAlert(1, 256)\nend'),
      lua('b', 'function script.idle(info)\n  flow.storeAlert(1, -1)\nend'),
      lua('c', 'function script.idle(info)\n  flow.storeAlert(1 << 40, 1)\nend'),
    ],
    typescript: [
      ts('a', "idle(info, flow) {\n  flow.alert('web_mining', 'loudest');\n}"),
      ts('b', "idle(info, flow) {\n  flow.alert('web_mining', -1);\n}"),
      ts('c', "idle(info, flow) {\n  flow.alert(1099511627776, 'info');\n}"),
    ],
    events: idle,
    failed: ['idle a', 'idle b', 'idle c'],
  },
];
