---@meta _
-- Made by `node docs/generate.ts`. Do not edit.

---@type flowpatrol.modules.alerts_api
alerts_api = nil

---@type flowpatrol.modules.alert_consts
alert_consts = nil

---@type flowpatrol.modules.flow_consts
flow_consts = nil

---of other kinds of scripts: empty
---@type table
host = nil

---of other kinds of scripts: empty
---@type table
network = nil

---what ntop.getDirs() gives
---@type table<string, string>
dirs = nil

---@type flowpatrol.modules.i18n
i18n = nil

---@type integer
TRACE_ERROR = nil

---@type integer
TRACE_WARNING = nil

---@type integer
TRACE_NORMAL = nil

---@type integer
TRACE_INFO = nil

---@type integer
TRACE_DEBUG = nil

---@type string
TRACE_CONSOLE = nil

---a line of the log: traceError(TRACE_WARNING, TRACE_CONSOLE, "text")
---@param level integer
---@param console any
---@param message any
function traceError(level, console, message) end

---prints any value with its type, the members of a table one a line
---@param value any
function tprint(value) end

---[TCP] 10.0.0.1:51514 -> 10.0.0.2:80 [HTTP]
---@param info flowpatrol.Info|table
---@return string
function shortFlowLabel(info) end

---10.0.0.1:51514 -> 10.0.0.2:80, with names; there after require("flow_utils")
---@param info flowpatrol.Info|table
---@return string
function getFlowLabel(info) end

---number of an IP protocol
---@param name string
---@return integer?
function l4_proto_to_id(name) end

---@param id integer
---@return string
function l4_proto_to_string(id) end

l4_proto_to_name = l4_proto_to_string

---like pairs, in the order of the keys
---@param t table
---@param order? fun(a: any
---@param b any
---@return boolean): fun(): any
---@return any
function pairsByKeys(t, order, b) end

---like pairs, in the order of the values
---@param t table
---@param order? fun(a: any
---@param b any
---@return boolean): fun(): any
---@return any
function pairsByValues(t, order, b) end

---an order for the two above
---@param a any
---@param b any
---@return boolean
function asc(a, b) end

---@param a any
---@param b any
---@return boolean
function rev(a, b) end

---@param a any
---@param b any
---@return boolean
function asc_insensitive(a, b) end

---@param a any
---@param b any
---@return boolean
function rev_insensitive(a, b) end

---@param condition any
---@param yes any
---@param no any
---@return any
function ternary(condition, yes, no) end

---nil or ''
---@param text any
---@return boolean
function isEmptyString(text) end

---@param text string
---@param beginning string
---@return boolean
function starts(text, beginning) end

---@param text string
---@param ending string
---@return boolean
function ends(text, ending) end

---@param text string
---@param separator string
---@return string[]
function split(text, separator) end

---@param text string
---@return string
function trimSpace(text) end

trimString = trimSpace

---@param text string
---@return string
function firstToUpper(text) end

---the first so many characters and '...', 24 without a number
---@param text string
---@param most? integer
---@return string
function shortenString(text, most) end

---@param value any
---@return boolean?
function toboolean(value) end

---@param value any
---@return integer
function tolongint(value) end

---@param number number
---@param decimals? integer
---@return number
function round(number, decimals) end

---@param number number
---@return integer
function truncate(number) end

---@param key any
---@param t table?
---@return boolean
function hasKey(key, t) end

---@param text any
---@return boolean
function isIPv4(text) end

---@param text any
---@return boolean
function isIPv6(text) end

---@param text any
---@return boolean
function isMacAddress(text) end

---@param ip string
---@return boolean
function isBroadcastMulticast(ip) end

---@param ip string
---@return integer?
function ipv4ToInt(ip) end

---@param number integer
---@return string
function intToIPv4(number) end

---ip, or ip@vlan
---@param host table
---@param side? string
---@param with_vlan? boolean
---@return string
function hostinfo2hostkey(host, side, with_vlan) end

---@param key string
---@return { host: string, vlan: integer }
function hostkey2hostinfo(key) end

---its name, or its address, with @vlan
---@param host table|string
---@return string
function hostinfo2label(host) end

---the name that is known of an end of the current flow, or its address
---@param host table|string
---@return string
function getResolvedAddress(host) end

resolveAddress = getResolvedAddress

getHostName = getResolvedAddress

---@param id integer|string
---@return string
function getInterfaceName(id) end

---@return boolean
function areAlertsEnabled() end

---1.5 KB
---@param bytes number
---@return string
function bytesToSize(bytes) end

---bits/s: 1.5 Kbps
---@param bits number
---@return string
function bitsToSize(bits) end

---@param bits number
---@param base? integer
---@return string
function bitsToSizeMultiplier(bits, base) end

---packets/s
---@param packets number
---@return string
function pktsToSize(packets) end

---1,234,567
---@param value number
---@return string
function formatValue(value) end

---@param packets number
---@return string
function formatPackets(packets) end

---@param flows number
---@return string
function formatFlows(flows) end

---1 day, 02:03:04
---@param seconds number
---@return string
function secondsToTime(seconds) end

---@param ms number
---@return string
function msToTime(ms) end

---day and time of Unix s
---@param epoch number?
---@return string
function formatEpoch(epoch) end

---parts between the matches of a pattern
---@param text string
---@param separator string
---@return string[]
function string.split(text, separator) end

---@param text string
---@param beginning string
---@return boolean
function string.starts(text, beginning) end

---@param text string
---@param ending string
---@return boolean
function string.ends(text, ending) end

---@param text string
---@param part string
---@return boolean
function string.contains(text, part) end

---number of members, whatever their keys
---@param t table
---@return integer
function table.len(t) end

---@param t table?
---@return boolean
function table.empty(t) end

---a new table; the members of b win
---@param a table?
---@param b table?
---@return table
function table.merge(a, b) end

---nested tables included
---@param t table
---@return table
function table.clone(t) end

---the same members, nested tables included
---@param a any
---@param b any
---@return boolean
function table.compare(a, b) end

---@param t table
---@param first? integer
---@param last? integer
---@param step? integer
---@return table
function table.slice(t, first, last, step) end

---@param t table
---@param value any
---@return boolean
function table.contains(t, value) end
