/** The global `flow`: what world/flow.lua reads of the current flow, and what world/statuses.lua sets. */
import { FIELDS } from '../../../flows/fields.ts';
import { GETTERS } from '../../getters.ts';
import { declared, type Member } from './declaration.ts';

/** In 2019 these give a table, later a number. */
const OF_BOTH: Readonly<Record<string, string>> = {
  getStatus: 'statuses that are set, a bitmap of the ids of the generation',
  getBytes: 'bytes of both directions',
  getPackets: 'packets of both directions',
};

const SHORT: Readonly<Record<string, string>> = { table: 'table', string: 'string', bool: 'boolean', int: 'integer', float: 'number' };
const typeOf = new Map(FIELDS.map(({ key, type }) => [key, SHORT[type] ?? 'any']));

/** The getters of tables: a new table with those fields that the flow has. */
const tables: readonly Member[] = Object.entries(GETTERS).map(([name, keys]) => {
  const fields = keys.map((key) => `${/^\w+$/.test(key) ? key : `["${key}"]`}?: ${typeOf.get(key)}`).join(', ');
  const number = OF_BOTH[name];
  return {
    name,
    parameters: [],
    returns: [`{ ${fields} }${number === undefined ? '' : '|integer'}`],
    doc: number === undefined ? 'a new table' : `2019: a new table; later: ${number}`,
  };
});

const VALUES = `
getInfo(): flowpatrol.Info -- 2019: the same table that a callback gets; 4.x: a new table with addresses, ports, protocol, bytes and packets
getFullInfo(): flowpatrol.Info -- all fields of the flow; 4.x: a new table, statuses by the ids of the generation
getUnicastInfo(): { ["cli.broadmulticast"]?: boolean, ["srv.broadmulticast"]?: boolean } -- a new table
methodNamesToIds(): table<string, integer> -- numbers of the getters of October 2019
callMethodById(id: integer): any -- what the getter with that number returns

getFirstSeen(): integer -- Unix s of the first packet
getLastSeen(): integer -- Unix s of the last packet
getDuration(): integer -- s from the first to the last packet
getBytesSent(): integer -- bytes, client to server
getBytesRcvd(): integer -- bytes, server to client
getGoodputBytes(): integer -- bytes of payload, both directions
getPacketsSent(): integer -- packets, client to server
getPacketsRcvd(): integer -- packets, server to client
getKey(): integer -- hash of the flow's key; not unique
getHashEntryId(): integer -- place in the flow table
getClientKey(): string -- ip@vlan
getServerKey(): string -- ip@vlan

isLocal(): boolean -- both ends are local
isRemoteToRemote(): boolean
isLocalToRemote(): boolean
isRemoteToLocal(): boolean
isClientUnicast(): boolean -- the address is neither broadcast nor multicast, and not 0.0.0.0 or ::
isServerUnicast(): boolean
isUnicast(): boolean -- both are
isClientNoIP(): boolean -- the address is 0.0.0.0 or ::
isServerNoIP(): boolean
getClientCountry(): string? -- ISO 3166, two letters; nil if unknown
getServerCountry(): string?

isBidirectional(): boolean -- both ends have sent packets
isTwhOK(): boolean -- the TCP handshake is complete
isTCPConnecting(): boolean
isTCPConnectionRefused(): boolean -- the server answered the handshake with RST
getClientTCPIssues(): integer -- retransmitted, out-of-order and lost segments of the client
getServerTCPIssues(): integer
getClientRetrPercentage(): number -- retransmissions of the client, percent of its packets
getServerRetrPercentage(): number
getTCPStats(): { ["cli2srv.retransmissions"]?: integer, ["cli2srv.out_of_order"]?: integer, ["cli2srv.lost"]?: integer, ["srv2cli.retransmissions"]?: integer, ["srv2cli.out_of_order"]?: integer, ["srv2cli.lost"]?: integer } -- a new table, segments

isBlacklisted(): boolean -- an end, the name or the category of the flow is on a blacklist
getBlacklistedInfo(): { ["blacklisted.cli"]?: boolean, ["blacklisted.srv"]?: boolean, ["blacklisted.cat"]?: boolean } -- a new table with those that are true
isDeviceProtocolNotAllowed(): boolean -- a policy of devices forbids the protocol
getDeviceProtoAllowedInfo(): { ["cli.devtype"]?: integer, ["srv.devtype"]?: integer, ["cli.allowed"]: boolean, ["srv.allowed"]: boolean, ["cli.disallowed_proto"]?: integer, ["srv.disallowed_proto"]?: integer } -- a new table

getnDPIProtocolName(): string -- MASTER.APPLICATION, or one of them
getnDPIMasterProtoId(): integer
getnDPIAppProtoId(): integer -- 0 = unknown
getnDPICategoryName(): string
getnDPICategoryId(): integer
getProtoBreed(): string -- how safe detection rates the protocol
hasRisk(id?: integer): boolean -- detection found this risk; without a number: any
getRiskInfo(): table<string, integer> -- name of each risk that was found, and its number
getnDPIMatchPacket(): { payload_len: integer, payload: string } -- always without payload: flowpatrol does not keep the packet

getTLSVersion(): integer -- version word, 771 = TLS 1.2; 0 without TLS
getServerCipherClass(): string? -- safe, weak or insecure
hasMaliciousTlsSignature(): boolean
getTLSInfo(): table<string, any> -- a new table with the fields protos.tls.*
getDnsQuery(): string?
dnsQueryHasInvalidChars(): boolean
getICMPType(): integer?
getICMPStatusInfo(): { type: integer, code: integer }?
getMaxSeenIcmpPayloadSize(): integer -- bytes of the longest message, header included; 0 without ICMP

retrieveExternalAlertInfo(): string? -- JSON of an intrusion detection system's alert; the same one only once
getMUDInfo(): table<string, any> -- a new table: what is recorded of hosts' communication
getClientMUDPref(): string -- disabled, general_purpose or special_purpose
getServerMUDPref(): string
serializeClientByMac(): boolean -- always false: hosts are known by their addresses
serializeServerByMac(): boolean
isNotPurged(): boolean -- the flow should have ended long ago

isStatusSet(status: flowpatrol.AnyStatus): boolean
setStatus(status: flowpatrol.AnyStatus, flow_score?: integer, client_score?: integer, server_score?: integer): boolean -- sets it and adds the scores; false if it was set already
clearStatus(status: flowpatrol.AnyStatus) -- the scores stay
triggerStatus(status: flowpatrol.StatusInfo|flowpatrol.AnyStatus, ...: any) -- 4.2: (status.create(severity, …), flow_score, client_score, server_score); 4.0: (status, info or nil, flow_score, client_score, server_score [, severity]). Of a call's statuses that with the highest score becomes an alert
storeAlert(type_id: integer, severity_id: integer, info?: string|table) -- raises an alert at once: alert_consts.alert_types.NAME.alert_id, alert_consts.alert_severities.NAME.severity_id, what to keep with it
triggerAlert(type_id: integer, severity_id: integer, info?: string|table) -- the same as storeAlert
setCustomInfo(text: string) -- goes with the alerts of 4.x
setScore(score: integer) -- 0 to 65534
getScore(): integer
setClientScore(score: integer) -- of the host, 0 to 65534
getClientScore(): integer -- 0 if it has none
setServerScore(score: integer)
getServerScore(): integer
getScoreInfo(): { status_map: integer, score: integer, status_info?: string } -- a new table
getPredominantStatus(): integer -- id of the strongest status that the generation knows, 0 if none is set
getAlertedStatus(): integer -- id of the status that the flow's alert was raised for, 0 without
getAlertedStatusScore(): integer
`;

export const FLOW: readonly Member[] = [...tables, ...declared(VALUES)];
