/** The globals `ntop` and `interface` (world/ntop.lua). */
import { declared } from './declaration.ts';

const KEYED = 'string|number|boolean';

export const NTOP = declared(`
getCache(key: ${KEYED}): string -- '' if there is none
setCache(key: ${KEYED}, value: ${KEYED}, ttl?: number): boolean -- ttl: s after which it is forgotten, never without it
delCache(key: ${KEYED}): boolean
incrCache(key: ${KEYED}, by?: integer): integer -- adds to a whole number; a missing one is 0
expireCache(key: ${KEYED}, ttl: number) -- forgotten in so many s
getKeysCache(pattern: string): table<string, string> -- keys that match a pattern with * and ?, as keys and values
getPref(key: ${KEYED}): string -- ntopng.prefs.NAME: a preference in force, or one that scripts keep
setPref(key: ${KEYED}, value: ${KEYED}): boolean -- false for flowpatrol's own, which a script cannot change
get_preference = ntop.getPref
set_preference = ntop.setPref
getHashCache(key: ${KEYED}, field: ${KEYED}): string -- '' if there is none
setHashCache(key: ${KEYED}, field: ${KEYED}, value: ${KEYED}): boolean
delHashCache(key: ${KEYED}, field: ${KEYED}): boolean
getHashAllCache(key: ${KEYED}): table<string, string>? -- nil if it is empty
getHashKeysCache(key: ${KEYED}): table<string, string>? -- field -> ''; nil if it is empty
setMembersCache(key: ${KEYED}, member: ${KEYED}): boolean -- adds to a set
delMembersCache(key: ${KEYED}, member: ${KEYED}): boolean
isMembersCache(key: ${KEYED}, member: ${KEYED}): boolean
getMembersCache(key: ${KEYED}): string[] -- sorted
rpushCache(key: ${KEYED}, value: ${KEYED}, trim?: integer): integer -- adds to the end of a list, of which the newest \`trim\` stay; its length
lpushCache(key: ${KEYED}, value: ${KEYED}, trim?: integer): integer -- adds to the beginning
lpopCache(key: ${KEYED}): string? -- takes the first
rpopCache(key: ${KEYED}): string? -- takes the last
llenCache(key: ${KEYED}): integer
lrangeCache(key: ${KEYED}, first?: integer, last?: integer): string[] -- positions from 0 on, both included; negative ones count from the end
ltrimCache(key: ${KEYED}, first: integer, last: integer) -- keeps that range only
bitmapIsSet(map: integer, bit: integer): boolean -- bits are numbered from 0
bitmapSet(map: integer, bit: integer): integer
bitmapClear(map: integer, bit: integer): integer
getDeadline(): integer -- Unix s at which the visit has to be over
gettimemsec(): number -- Unix s of the traffic's clock, with fraction
getticks(): integer -- CPU time, in ticks
gettickspersec(): integer
getDirs(): { installdir: string, workingdir: string, scriptdir: string, httpdocsdir: string, callbacksdir: string, pcapdir: string }
readdir(path: string): table<string, string> -- name -> name; only folders of scripts can be read, others are empty
exists(path: string): boolean -- in a folder of scripts
isdir(path: string): boolean -- always false
getInfo(): { product: string, version: string, ["version.ndpi"]: string }
getPrefs(): table<string, any> -- the preferences in force, by name
getResolvedName(ip: string): string -- the name that is known of an end of the current flow, or its address
resolveName = ntop.getResolvedName
resolveAddress = ntop.getResolvedName
isPro(): boolean -- true: flowpatrol has what the editions had
isEnterprise(): boolean
isEnterpriseM(): boolean
isEnterpriseL(): boolean
hasGeoIP(): boolean
hasRadixTree(): boolean
isnEdge(): boolean -- always false, as are the others below
isnEdgeEnterprise(): boolean
isAppliance(): boolean
isWindows(): boolean
isFreeBSD(): boolean
isForcedCommunity(): boolean
isIoTBridge(): boolean
isDemo(): boolean
isLoginDisabled(): boolean
`);

export const INTERFACE = declared(`
getId(): integer
getName(): string
getIfNames(): table<string, string> -- number as text -> name
select(name?: string): string -- there is one interface: its name
isPacketInterface(): boolean -- false for flow records
isPcapDumpInterface(): boolean -- packets of a file
isSampledTraffic(): boolean
isView(): boolean -- always false
isViewed(): boolean -- always false
viewedBy() -- always nil
getnDPIProtoName(id: integer): string
getnDPIProtoId(name: string): integer -- 0 if it is not known
getnDPICategoryName(id: integer): string
`);
