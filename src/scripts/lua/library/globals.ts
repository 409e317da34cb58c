/** Global functions of modules/lua_utils.lua, and what it adds to Lua's own libraries. */
import { declared } from './declaration.ts';

export const GLOBALS = declared(`
alerts_api: flowpatrol.modules.alerts_api
alert_consts: flowpatrol.modules.alert_consts
flow_consts: flowpatrol.modules.flow_consts
host: table -- of other kinds of scripts: empty
network: table -- of other kinds of scripts: empty
dirs: table<string, string> -- what ntop.getDirs() gives
i18n: flowpatrol.modules.i18n
TRACE_ERROR: integer
TRACE_WARNING: integer
TRACE_NORMAL: integer
TRACE_INFO: integer
TRACE_DEBUG: integer
TRACE_CONSOLE: string
traceError(level: integer, console: any, message: any) -- a line of the log: traceError(TRACE_WARNING, TRACE_CONSOLE, "text")
tprint(value: any) -- prints any value with its type, the members of a table one a line
shortFlowLabel(info: flowpatrol.Info|table): string -- [TCP] 10.0.0.1:51514 -> 10.0.0.2:80 [HTTP]
getFlowLabel(info: flowpatrol.Info|table): string -- 10.0.0.1:51514 -> 10.0.0.2:80, with names; there after require("flow_utils")
l4_proto_to_id(name: string): integer? -- number of an IP protocol
l4_proto_to_string(id: integer): string
l4_proto_to_name = l4_proto_to_string
pairsByKeys(t: table, order?: fun(a: any, b: any): boolean): fun(): any, any -- like pairs, in the order of the keys
pairsByValues(t: table, order?: fun(a: any, b: any): boolean): fun(): any, any -- like pairs, in the order of the values
asc(a: any, b: any): boolean -- an order for the two above
rev(a: any, b: any): boolean
asc_insensitive(a: any, b: any): boolean
rev_insensitive(a: any, b: any): boolean
ternary(condition: any, yes: any, no: any): any
isEmptyString(text: any): boolean -- nil or ''
starts(text: string, beginning: string): boolean
ends(text: string, ending: string): boolean
split(text: string, separator: string): string[]
trimSpace(text: string): string
trimString = trimSpace
firstToUpper(text: string): string
shortenString(text: string, most?: integer): string -- the first so many characters and '...', 24 without a number
toboolean(value: any): boolean?
tolongint(value: any): integer
round(number: number, decimals?: integer): number
truncate(number: number): integer
hasKey(key: any, t: table?): boolean
isIPv4(text: any): boolean
isIPv6(text: any): boolean
isMacAddress(text: any): boolean
isBroadcastMulticast(ip: string): boolean
ipv4ToInt(ip: string): integer?
intToIPv4(number: integer): string
hostinfo2hostkey(host: table, side?: string, with_vlan?: boolean): string -- ip, or ip@vlan
hostkey2hostinfo(key: string): { host: string, vlan: integer }
hostinfo2label(host: table|string): string -- its name, or its address, with @vlan
getResolvedAddress(host: table|string): string -- the name that is known of an end of the current flow, or its address
resolveAddress = getResolvedAddress
getHostName = getResolvedAddress
getInterfaceName(id: integer|string): string
areAlertsEnabled(): boolean
bytesToSize(bytes: number): string -- 1.5 KB
bitsToSize(bits: number): string -- bits/s: 1.5 Kbps
bitsToSizeMultiplier(bits: number, base?: integer): string
pktsToSize(packets: number): string -- packets/s
formatValue(value: number): string -- 1,234,567
formatPackets(packets: number): string
formatFlows(flows: number): string
secondsToTime(seconds: number): string -- 1 day, 02:03:04
msToTime(ms: number): string
formatEpoch(epoch: number?): string -- day and time of Unix s
`);

export const STRING = declared(`
split(text: string, separator: string): string[] -- parts between the matches of a pattern
starts(text: string, beginning: string): boolean
ends(text: string, ending: string): boolean
contains(text: string, part: string): boolean
`);

export const TABLE = declared(`
len(t: table): integer -- number of members, whatever their keys
empty(t: table?): boolean
merge(a: table?, b: table?): table -- a new table; the members of b win
clone(t: table): table -- nested tables included
compare(a: any, b: any): boolean -- the same members, nested tables included
slice(t: table, first?: integer, last?: integer, step?: integer): table
contains(t: table, value: any): boolean
`);
