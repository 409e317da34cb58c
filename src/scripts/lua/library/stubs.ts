/**
 * types/lua: what Lua scripts find, for editors that read LuaLS annotations (lua-language-server). One file a global and a module, so that
 * `require` is followed. Made of the declarations beside this file by docs/generate.ts; settings() tells an editor where they are.
 */

import { STATUSES } from '../../../flows/statuses.ts';
import { ALERT_TYPES, SEVERITIES_4_2 } from '../../alert-types.ts';
import { constantsSource } from '../../flow-consts.ts';
import type { Member } from './declaration.ts';
import { FLOW } from './flow.ts';
import { GLOBALS, STRING, TABLE } from './globals.ts';
import { type LuaModule, MODULES } from './modules.ts';
import { INTERFACE, NTOP } from './ntop.ts';

const MADE = '-- Made by `node docs/generate.ts`. Do not edit.';

const behind = (doc: string): string => (doc === '' ? '' : ` ${doc}`);
const above = (doc: string): string => (doc === '' ? '' : `---${doc}\n`);

/** A function, another name, or a value of `owner`. */
function statement(owner: string, { name, doc, parameters, returns = [], type, same }: Member): string {
  const path = owner === '' ? name : `${owner}.${name}`;
  if (same !== undefined) return `${path} = ${same}\n`;
  if (parameters === undefined) return `${above(doc)}---@type ${type}\n${path} = nil\n`;
  return [
    above(doc),
    ...parameters.map((each) => `---@param ${each.name}${each.optional ? '?' : ''} ${each.type}\n`),
    ...returns.map((each) => `---@return ${each}\n`),
    `function ${path}(${parameters.map((each) => each.name).join(', ')}) end\n`,
  ].join('');
}

const isValue = ({ type }: Member): boolean => type !== undefined;
const field = ({ name, type, doc }: Member): string => `---@field ${name} ${type}${behind(doc)}\n`;

/** `name = {}` with its class and members. */
function table(name: string, className: string, doc: string, members: readonly Member[], annotations: readonly string[] = []): string {
  const head = `${above(doc)}---@class ${className}\n${members.filter(isValue).map(field).join('')}${annotations.map((line) => `${line}\n`).join('')}`;
  const functions = members.filter((member) => !isValue(member)).map((member) => statement(name.replace(/^local /, ''), member));
  return [`${head}${name} = {}\n`, ...functions].join('\n');
}

function moduleFile(name: string, { doc, members, is, annotations, openEnded }: LuaModule): string {
  const head = `---@meta ${name}\n${MADE}\n\n`;
  if (is !== undefined) return `${head}---${doc}\nreturn ${is}\n`;
  const more = openEnded === true ? `${doc} Other functions of the original do nothing, and say so once.` : doc;
  return `${head}${table(`local ${name}`, `flowpatrol.modules.${name}`, more, members, annotations)}\nreturn ${name}\n`;
}

/** Every name that the constants have in a generation, without doublets. */
function namesIn(list: RegExp): string[] {
  const [text = ''] = list.exec(constantsSource()) ?? [];
  return [...new Set([...text.matchAll(/"name4?"\]="(\w+)"/g)].map(([, name]) => name as string))];
}
const statusNames = namesIn(/\["statuses"\]=.*?(?=\["alerts"\])/);
const alertNames = namesIn(/\["alerts"\]=.*?(?=\["severities"\])/);

const statusDocs = new Map(STATUSES.flatMap(({ name, title, meaning }) => [[name, `${title}: ${meaning}`] as const]));
const statusDoc = (name: string): string => statusDocs.get(name) ?? statusDocs.get(name.replace('_tls_', '_ssl_')) ?? '';
const alertTitles = new Map(ALERT_TYPES.flatMap(({ name, name4, title }) => [[name, title] as const, [name4 ?? name, title] as const]));

const fields = (names: readonly string[], type: string, doc: (name: string) => string): string =>
  names.map((name) => `---@field ${name} ${type}${behind(doc(name))}\n`).join('');

/** Types that the other files speak of. */
const types = (): string => `---@meta _
${MADE}

---An entry of alert_consts.alert_types.
---@class flowpatrol.AlertType
---@field alert_id integer
---@field alert_key integer
---@field i18n_title string
---@field icon string always ''

---By name. In 4.x also with \`alert_\` in front; there only those that concern flows have a number.
---@class flowpatrol.AlertTypes
${fields(alertNames, 'flowpatrol.AlertType', (name) => alertTitles.get(name) ?? '')}---@field [string] flowpatrol.AlertType

---An entry of alert_consts.alert_severities.
---@class flowpatrol.Severity
---@field severity_id integer
---@field name string
---@field i18n_title string
---@field syslog_severity integer
---@field label string class of its label

---By name. 2019 and 4.0: info, warning, error; 4.2: all.
---@class flowpatrol.Severities
${fields(
  SEVERITIES_4_2.map(({ name }) => name),
  'flowpatrol.Severity',
  () => '',
)}
---An entry of flow_consts.status_types.
---@class flowpatrol.Status
---@field status_key integer
---@field status_id integer
---@field name string
---@field i18n_title string
---@field alert_severity flowpatrol.Severity
---@field alert_type flowpatrol.AlertType
---@field relevance integer 0 to 100
---@field create fun(severity?: flowpatrol.Severity|integer, ...: any): flowpatrol.StatusInfo 4.2: what flow.triggerStatus takes; one table more is kept with the alert

---By name; those of 2019 with \`ssl\` are also there with \`tls\`.
---@class flowpatrol.StatusTypes
${fields(statusNames, 'flowpatrol.Status', statusDoc)}
---What status.create makes.
---@class flowpatrol.StatusInfo
---@field status_type flowpatrol.Status
---@field alert_severity flowpatrol.Severity|integer
---@field alert_type_params table

---A status as an entry, its number or its name.
---@alias flowpatrol.AnyStatus flowpatrol.Status|integer|string

---Whom an alert is about: alerts_api.hostAlertEntity(ip, vlan) and its kin.
---@class flowpatrol.AlertEntity
---@field alert_entity table
---@field alert_entity_name string
---@field alert_entity_val string

---What alerts_api.store takes.
---@class flowpatrol.AlertInfo
---@field alert_type flowpatrol.AlertType|integer
---@field alert_severity? flowpatrol.Severity|integer
---@field alert_subtype? string
---@field alert_type_params? table
---@field alert_granularity? table

---The table that a script returns: \`---@type flowpatrol.Script\` above it, and an editor knows what its callbacks get.
---@class flowpatrol.Script
---@field key? string unique id
---@field gui? { i18n_title: string, i18n_description: string, input_builder?: function|string }
---@field prio? number higher runs earlier
---@field setup? fun(): boolean? called once; false switches the script off
---@field teardown? fun() called when this version is no longer used
---@field protocolDetected? fun(info: flowpatrol.Info) once: protocol and details are known
---@field statusChanged? fun(info: flowpatrol.Info) the statuses are not those of the visit before
---@field periodicUpdate? fun(info: flowpatrol.Info) every few minutes on long-lived flows
---@field idle? fun(info: flowpatrol.Info) once, at the end
---@field hooks? table<string, fun(now: integer, conf: table)> 4.x: protocolDetected, statusChanged, periodicUpdate, flowEnd, all
---@field default_value? table 4.x: what the hooks get as \`conf\`
---@field default_enabled? boolean
---@field category? table
---@field l4_proto? string run for this IP protocol only
---@field l7_proto? string run for this protocol of nDPI only
---@field l7_proto_id? integer
---@field three_way_handshake_ok? boolean TCP: only when the handshake is complete
---@field periodic_update_seconds? integer a multiple of 30
---@field packet_interface_only? boolean
`;

const global = (name: string, className: string, doc: string, members: readonly Member[]): string =>
  `---@meta _\n${MADE}\n\n${table(name, className, doc, members)}`;

const globals = (): string =>
  [
    `---@meta _\n${MADE}\n`,
    ...GLOBALS.map((member) => statement('', member)),
    ...STRING.map((member) => statement('string', member)),
    ...TABLE.map((member) => statement('table', member)),
  ].join('\n');

/** Name of the file in types/lua → text. */
export const luaStubs = (): Readonly<Record<string, string>> => ({
  'types.lua': types(),
  'globals.lua': globals(),
  'flow.lua': global(
    'flow',
    'flowpatrol.Flow',
    'The flow that a callback is called for. Outside a callback there is none: getters return nil.',
    FLOW,
  ),
  'ntop.lua': global('ntop', 'flowpatrol.Ntop', 'Cache, preferences, bitmaps, folders.', NTOP),
  'interface.lua': global('interface', 'flowpatrol.Interface', 'The interface that sees the flow.', INTERFACE),
  ...Object.fromEntries(Object.entries(MODULES).map(([name, module]) => [`${name}.lua`, moduleFile(name, module)])),
});

/** Text of `.luarc.json`: an editor then completes and checks scripts. @param types folder with the stubs and info.lua */
export const settings = (types: string): string => `{
  "runtime.version": "Lua 5.4",
  "runtime.builtin": { "debug": "disable" },
  "workspace.library": [${JSON.stringify(types)}],
  "workspace.checkThirdParty": false
}
`;
