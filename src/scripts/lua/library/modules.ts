/** What scripts `require` (../../modules): name → members, or what it is the same as. */
import { declared, type Member } from './declaration.ts';

export interface LuaModule {
  readonly doc: string;
  readonly members: readonly Member[];
  /** Lua expression that the module is, in place of members. */
  readonly is?: string;
  /** LuaLS type that it is, in place of members. */
  readonly type?: string;
  /** Lines of LuaLS for its class. */
  readonly annotations?: readonly string[];
  /** It is a part of the original: members that are not here are functions that do nothing. */
  readonly openEnded?: boolean;
}

const of = (doc: string, members: string, more: Partial<LuaModule> = {}): LuaModule => ({ doc, members: declared(members), ...more });
const same = (doc: string, more: Partial<LuaModule>): LuaModule => ({ doc, members: [], ...more });

const entity = (names: string): string =>
  names
    .split(' ')
    .map((name) => `${name}(value: string|integer, vlan?: integer): flowpatrol.AlertEntity`)
    .join('\n');

export const MODULES: Readonly<Record<string, LuaModule>> = {
  alerts_api: of(
    'What a script calls to raise an alert.',
    `
storeFlowAlert(alert_type: flowpatrol.AlertType|integer, alert_severity: flowpatrol.Severity|integer, flow_info?: flowpatrol.Info|table|string) -- raises an alert about the current flow; the information goes with it
flow_checkbox_input_builder(check_module: table): string -- value for gui.input_builder: the script gets a switch
checkbox_input_builder(gui_conf: table, input_id: string, value: any): string
store(about: flowpatrol.AlertEntity, type_info: flowpatrol.AlertInfo, when?: integer): boolean -- an alert about another entity, raised with the current flow
trigger(about: flowpatrol.AlertEntity, type_info: flowpatrol.AlertInfo, when?: integer): boolean -- the same, once until it is released
release(about: flowpatrol.AlertEntity, type_info: flowpatrol.AlertInfo, when?: integer): boolean
load_flow_check_modules(enabled_only?: boolean): table<string, table> -- empty: flowpatrol loads the scripts
store_flow_check_modules_benchmarks(benchmarks: table) -- does nothing: flowpatrol measures the scripts
get_flow_check_module_benchmarks(key: string) -- always nil
${entity(
  'hostAlertEntity interfaceAlertEntity networkAlertEntity macEntity userEntity processEntity hostPoolEntity pingedHostEntity categoryListsEntity snmpDeviceEntity snmpInterfaceEntity influxdbEntity periodicActivityEntity flowAlertEntity',
)}
`,
  ),
  alert_consts: of(
    "Types, severities and entities of alerts, with the numbers of the script's generation.",
    `
alert_types: flowpatrol.AlertTypes
alert_severities: flowpatrol.Severities
alert_entities: table<string, { entity_id: integer, i18n_title: string }>
alerts_granularities: table<string, { granularity_id: integer, granularity_seconds: integer }> -- min, 5mins, hour, day
alertSeverityById(severity_id: integer): flowpatrol.Severity?
alertSeverityRaw(severity_id: integer): string? -- its name
alertSeverity(name: string): integer?
alertSeverityLabel(severity_id: integer): string?
alertTypeById(alert_id: integer): flowpatrol.AlertType?
alertTypeRaw(alert_id: integer): string? -- its name
getAlertType(alert_id: integer): string? -- the same as alertTypeRaw
alertType(name: string): integer?
alertTypeLabel(alert_id: integer): string?
alertEntity(name: string): integer?
`,
  ),
  alert_keys: of(
    'Numbers of the types of alerts. In 4.2 a pair: number of the enterprise, number.',
    `
ntopng: table<string, integer|integer[]> -- alert_NAME
user: table<string, integer|integer[]> -- alert_user_01 to alert_user_05
`,
  ),
  alert_severities: same('The severities alone.', { is: 'require("alert_consts").alert_severities' }),
  alert_utils: of('Texts of alerts are made where they are shown.', '', { openEnded: true }),
  discover_utils: of(
    'Types of devices, as cli.devtype and srv.devtype number them.',
    `
devtype2string(devtype: integer): string
devtype2id(name: string): integer
devtype2icon(devtype: integer): string -- always ''
`,
    { openEnded: true },
  ),
  dkjson: same('The name under which scripts often require JSON.', { is: 'require("json")' }),
  flow_consts: of(
    "Statuses of flows, with the numbers of the script's generation. flow_consts.status_NAME is the number.",
    `
max_score: integer -- most that a status adds
status_types: flowpatrol.StatusTypes
flow_status_types: table<integer, flowpatrol.Status> -- by number
getStatusInfo(id: integer): flowpatrol.Status?
getStatusTitle(id: integer): string?
getStatusDescription(id: integer): string?
getStatusType(id: integer): string? -- its name
`,
    { annotations: ['---@field [string] integer'] },
  ),
  flow_keys: of(
    'Numbers of the statuses. In 4.2 a pair: number of the enterprise, number.',
    `
ntopng: table<string, integer|integer[]> -- status_NAME
user: table<string, integer|integer[]> -- status_user_01 to status_user_05
`,
  ),
  flow_risk_utils: of(
    'The risks that detection finds.',
    `
risks: table<integer, { id: integer, name: string, i18n_title: string }>
getRiskName(id: integer): string?
risk_id_2_i18n(id: integer): string?
get_risk_name(id: integer): string?
getRisks(bitmap?: integer): table<integer, string> -- number -> name of the risks of a bitmap, or of the current flow
`,
    { openEnded: true },
  ),
  flow_utils: of(
    'Texts about flows.',
    `
shortFlowLabel = shortFlowLabel
getFlowLabel = getFlowLabel
`,
  ),
  format_utils: of(
    'Texts of numbers and times; the same functions are global.',
    `
bytesToSize = bytesToSize
bitsToSize = bitsToSize
bitsToSizeMultiplier = bitsToSizeMultiplier
pktsToSize = pktsToSize
formatValue = formatValue
formatPackets = formatPackets
formatFlows = formatFlows
secondsToTime = secondsToTime
msToTime = msToTime
formatEpoch = formatEpoch
round = round
`,
  ),
  i18n: of(
    "Texts in the user's language: i18n(key, params). A key that no locale file has is its own text.",
    'translate(key: string?, params?: table<string, any>): string? -- %{name} is replaced by params.name',
    { annotations: ['---@overload fun(key: string?, params?: table<string, any>): string?'] },
  ),
  ids_utils: of(
    'Alerts of intrusion detection systems, as flow.retrieveExternalAlertInfo() gives them.',
    `
parse(alert: string|table|nil): table?
getSeverity(alert: string|table|nil): integer? -- 1 is the gravest
computeScore(alert: string|table|nil): integer, integer, integer -- of the flow, the client, the server
formatAlert(alert: string|table|nil): string
`,
    { openEnded: true },
  ),
  json: of(
    'JSON (RFC 8259).',
    `
encode(value: any, options?: { indent?: boolean }): string -- objects in the order of their keys
decode(text: string, position?: integer, null?: any): any, integer, string? -- the value and the position after it; on an error nil, the position, a message
null: any
quotestring(text: string): string
`,
  ),
  locales_utils: of(
    "Texts in the user's language.",
    `
i18n = i18n
getLocale(): string
`,
  ),
  lua_utils: same('Its functions are global.', { is: 'true' }),
  mud_utils: of(
    'Records with whom hosts communicate (RFC 8520), for hosts whose preference ntopng.prefs.mud_recording.ADDRESS says so.',
    `
isRecordingEnabled(ip: string): boolean
isMUDRecordingInProgress(): boolean -- of any host
getHostMUDRecordingPref(ifid: integer, ip: string): string -- disabled, general_purpose or special_purpose
hasRecordedMUD(ip: string): boolean
keyOf(ip: string): string -- cache key of the set of the host's connections
handleFlow(info?: flowpatrol.Info|table) -- records the flow
`,
    { openEnded: true },
  ),
  ntop_utils: same('Its functions are global.', { is: 'true' }),
  os_utils: of(
    'Paths. A script has no files, but may build their names.',
    `
fixPath(path: string): string
getPathDivider(): string
getPathFromComponents(...: string): string
isWindows(): boolean
mkdir(path: string): boolean -- always false
execWithOutput(command: string) -- always nil: there are no other programs
`,
    { openEnded: true },
  ),
  plugins_utils: of(
    'Modules that come with a script: files in its folder.',
    `
loadModule(plugin: string, name: string): any -- PLUGIN/NAME.lua, PLUGIN/modules/NAME.lua or NAME.lua in a folder of scripts
hasAlerts(): boolean
getUrl(): string
`,
    { openEnded: true },
  ),
  status_keys: same('Numbers of the statuses.', { is: 'require("flow_keys")' }),
  status_types: same('The statuses alone.', { is: 'require("flow_consts").status_types' }),
  user_scripts: of(
    'Categories and input builders.',
    `
script_categories: table<string, { id: integer, icon: string, i18n_title: string }> -- other, security, internals, network, system
script_types: table<string, table>
NON_TRAFFIC_ELEMENT: integer
flow_checkbox_input_builder(check_module: table): string -- value for gui.input_builder: the script gets a switch
checkbox_input_builder(gui_conf: table, input_id: string, value: any): string
load(ifid: integer, subdir: string, hook_filter?: string, ignore_disabled?: boolean): { modules: table, hooks: table } -- empty: flowpatrol loads the scripts
getSubdirectoryPath(script_type: any, subdir?: string): string
`,
    { openEnded: true },
  ),
};
