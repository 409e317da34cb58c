---@meta _
-- Made by `node docs/generate.ts`. Do not edit.

---The flow that a callback is called for. Outside a callback there is none: getters return nil.
---@class flowpatrol.Flow
flow = {}

---a new table
---@return { ["cli.ip"]?: string, ["cli.key"]?: integer, ["cli.vlan"]?: integer }
function flow.getClientIp() end

---a new table
---@return { ["cli.port"]?: integer }
function flow.getClientPort() end

---a new table
---@return { ["cli.host"]?: string, ["cli.source_id"]?: integer, ["cli.mac"]?: string, ["cli.systemhost"]?: boolean, ["cli.blacklisted"]?: boolean, ["cli.network_id"]?: integer, ["cli.pool_id"]?: integer, ["cli.private"]?: boolean }
function flow.getClientInfo() end

---a new table
---@return { ["cli.latitude"]?: number, ["cli.longitude"]?: number, ["cli.country"]?: string, ["cli.city"]?: string }
function flow.getClientGeolocation() end

---a new table
---@return { ["srv.ip"]?: string, ["srv.key"]?: integer, ["srv.vlan"]?: integer }
function flow.getServerIp() end

---a new table
---@return { ["srv.port"]?: integer }
function flow.getServerPort() end

---a new table
---@return { ["srv.host"]?: string, ["srv.source_id"]?: integer, ["srv.mac"]?: string, ["srv.systemhost"]?: boolean, ["srv.blacklisted"]?: boolean, ["srv.network_id"]?: integer, ["srv.pool_id"]?: integer, ["srv.private"]?: boolean }
function flow.getServerInfo() end

---a new table
---@return { ["srv.latitude"]?: number, ["srv.longitude"]?: number, ["srv.country"]?: string, ["srv.city"]?: string }
function flow.getServerGeolocation() end

---a new table
---@return { ["seen.first"]?: integer, ["seen.last"]?: integer, duration?: integer }
function flow.getTime() end

---2019: a new table; later: statuses that are set, a bitmap of the ids of the generation
---@return { ["flow.idle"]?: boolean, ["flow.status"]?: integer, status_map?: integer, ["flow.alerted"]?: boolean }|integer
function flow.getStatus() end

---a new table
---@return { ["proto.l4"]?: string, ["proto.ndpi"]?: string, ["proto.ndpi_id"]?: integer, ["proto.ndpi_breed"]?: string, ["proto.ndpi_cat_id"]?: integer, ["proto.ndpi_cat"]?: string }
function flow.getProtocols() end

---2019: a new table; later: bytes of both directions
---@return { bytes?: integer, ["bytes.last"]?: integer, goodput_bytes?: integer, ["goodput_bytes.last"]?: integer }|integer
function flow.getBytes() end

---2019: a new table; later: packets of both directions
---@return { packets?: integer, ["packets.last"]?: integer }|integer
function flow.getPackets() end

---a new table
---@return { ["cli2srv.bytes"]?: integer, ["cli2srv.goodput_bytes"]?: integer, ["cli2srv.packets"]?: integer, ["cli2srv.last"]?: integer, ["cli2srv.pkt_len.min"]?: integer, ["cli2srv.pkt_len.max"]?: integer, ["cli2srv.pkt_len.avg"]?: integer, ["cli2srv.pkt_len.stddev"]?: integer, ["cli2srv.fragments"]?: integer }
function flow.getClient2ServerTraffic() end

---a new table
---@return { ["srv2cli.bytes"]?: integer, ["srv2cli.goodput_bytes"]?: integer, ["srv2cli.packets"]?: integer, ["srv2cli.last"]?: integer, ["srv2cli.pkt_len.min"]?: integer, ["srv2cli.pkt_len.max"]?: integer, ["srv2cli.pkt_len.avg"]?: integer, ["srv2cli.pkt_len.stddev"]?: integer, ["srv2cli.fragments"]?: integer }
function flow.getServer2ClientTraffic() end

---a new table
---@return { ["interarrival.cli2srv"]?: table }
function flow.getClient2ServerIAT() end

---a new table
---@return { ["interarrival.srv2cli"]?: table }
function flow.getServer2ClientIAT() end

---a new table
---@return { ["tcp.seq_problems"]?: boolean, ["tcp.nw_latency.client"]?: number, ["tcp.nw_latency.server"]?: number, ["tcp.appl_latency"]?: number, ["tcp.max_thpt.cli2srv"]?: number, ["tcp.max_thpt.srv2cli"]?: number, ["cli2srv.retransmissions"]?: integer, ["cli2srv.out_of_order"]?: integer, ["cli2srv.lost"]?: integer, ["cli2srv.keep_alive"]?: integer, ["cli2srv.tcp_flags"]?: integer, ["srv2cli.retransmissions"]?: integer, ["srv2cli.out_of_order"]?: integer, ["srv2cli.lost"]?: integer, ["srv2cli.keep_alive"]?: integer, ["srv2cli.tcp_flags"]?: integer, tcp_established?: boolean, tcp_connecting?: boolean, tcp_closed?: boolean, tcp_reset?: boolean }
function flow.getTCPInfo() end

---a new table
---@return { ["protos.http.last_method"]?: string, ["protos.http.last_return_code"]?: integer, ["protos.http.last_url"]?: string, ["protos.http.server_name"]?: string }
function flow.getHTTPInfo() end

---a new table
---@return { ["protos.dns.last_query"]?: string, ["protos.dns.last_query_type"]?: integer, ["protos.dns.last_return_code"]?: integer }
function flow.getDNSInfo() end

---a new table
---@return { ["protos.ssh.client_signature"]?: string, ["protos.ssh.server_signature"]?: string, ["protos.ssh.hassh.client_hash"]?: string, ["protos.ssh.hassh.server_hash"]?: string }
function flow.getSSHInfo() end

---a new table
---@return { ["protos.ssl_version"]?: integer, ["protos.ssl.certificate"]?: string, ["protos.ssl.server_certificate"]?: string, ["protos.ssl.ja3.client_hash"]?: string, ["protos.ssl.ja3.server_hash"]?: string, ["protos.ssl.ja3.server_cipher"]?: integer, ["protos.ssl.ja3.server_unsafe_cipher"]?: string, ["protos.ssl.ja3.client_malicious"]?: boolean, ["protos.ssl.ja3.server_malicious"]?: boolean }
function flow.getSSLInfo() end

---a new table
---@return { icmp?: table }
function flow.getICMPInfo() end

---2019: the same table that a callback gets; 4.x: a new table with addresses, ports, protocol, bytes and packets
---@return flowpatrol.Info
function flow.getInfo() end

---all fields of the flow; 4.x: a new table, statuses by the ids of the generation
---@return flowpatrol.Info
function flow.getFullInfo() end

---a new table
---@return { ["cli.broadmulticast"]?: boolean, ["srv.broadmulticast"]?: boolean }
function flow.getUnicastInfo() end

---numbers of the getters of October 2019
---@return table<string, integer>
function flow.methodNamesToIds() end

---what the getter with that number returns
---@param id integer
---@return any
function flow.callMethodById(id) end

---Unix s of the first packet
---@return integer
function flow.getFirstSeen() end

---Unix s of the last packet
---@return integer
function flow.getLastSeen() end

---s from the first to the last packet
---@return integer
function flow.getDuration() end

---bytes, client to server
---@return integer
function flow.getBytesSent() end

---bytes, server to client
---@return integer
function flow.getBytesRcvd() end

---bytes of payload, both directions
---@return integer
function flow.getGoodputBytes() end

---packets, client to server
---@return integer
function flow.getPacketsSent() end

---packets, server to client
---@return integer
function flow.getPacketsRcvd() end

---hash of the flow's key; not unique
---@return integer
function flow.getKey() end

---place in the flow table
---@return integer
function flow.getHashEntryId() end

---ip@vlan
---@return string
function flow.getClientKey() end

---ip@vlan
---@return string
function flow.getServerKey() end

---both ends are local
---@return boolean
function flow.isLocal() end

---@return boolean
function flow.isRemoteToRemote() end

---@return boolean
function flow.isLocalToRemote() end

---@return boolean
function flow.isRemoteToLocal() end

---the address is neither broadcast nor multicast, and not 0.0.0.0 or ::
---@return boolean
function flow.isClientUnicast() end

---@return boolean
function flow.isServerUnicast() end

---both are
---@return boolean
function flow.isUnicast() end

---the address is 0.0.0.0 or ::
---@return boolean
function flow.isClientNoIP() end

---@return boolean
function flow.isServerNoIP() end

---ISO 3166, two letters; nil if unknown
---@return string?
function flow.getClientCountry() end

---@return string?
function flow.getServerCountry() end

---both ends have sent packets
---@return boolean
function flow.isBidirectional() end

---the TCP handshake is complete
---@return boolean
function flow.isTwhOK() end

---@return boolean
function flow.isTCPConnecting() end

---the server answered the handshake with RST
---@return boolean
function flow.isTCPConnectionRefused() end

---retransmitted, out-of-order and lost segments of the client
---@return integer
function flow.getClientTCPIssues() end

---@return integer
function flow.getServerTCPIssues() end

---retransmissions of the client, percent of its packets
---@return number
function flow.getClientRetrPercentage() end

---@return number
function flow.getServerRetrPercentage() end

---a new table, segments
---@return { ["cli2srv.retransmissions"]?: integer, ["cli2srv.out_of_order"]?: integer, ["cli2srv.lost"]?: integer, ["srv2cli.retransmissions"]?: integer, ["srv2cli.out_of_order"]?: integer, ["srv2cli.lost"]?: integer }
function flow.getTCPStats() end

---an end, the name or the category of the flow is on a blacklist
---@return boolean
function flow.isBlacklisted() end

---a new table with those that are true
---@return { ["blacklisted.cli"]?: boolean, ["blacklisted.srv"]?: boolean, ["blacklisted.cat"]?: boolean }
function flow.getBlacklistedInfo() end

---a policy of devices forbids the protocol
---@return boolean
function flow.isDeviceProtocolNotAllowed() end

---a new table
---@return { ["cli.devtype"]?: integer, ["srv.devtype"]?: integer, ["cli.allowed"]: boolean, ["srv.allowed"]: boolean, ["cli.disallowed_proto"]?: integer, ["srv.disallowed_proto"]?: integer }
function flow.getDeviceProtoAllowedInfo() end

---MASTER.APPLICATION, or one of them
---@return string
function flow.getnDPIProtocolName() end

---@return integer
function flow.getnDPIMasterProtoId() end

---0 = unknown
---@return integer
function flow.getnDPIAppProtoId() end

---@return string
function flow.getnDPICategoryName() end

---@return integer
function flow.getnDPICategoryId() end

---how safe detection rates the protocol
---@return string
function flow.getProtoBreed() end

---detection found this risk; without a number: any
---@param id? integer
---@return boolean
function flow.hasRisk(id) end

---name of each risk that was found, and its number
---@return table<string, integer>
function flow.getRiskInfo() end

---always without payload: flowpatrol does not keep the packet
---@return { payload_len: integer, payload: string }
function flow.getnDPIMatchPacket() end

---version word, 771 = TLS 1.2; 0 without TLS
---@return integer
function flow.getTLSVersion() end

---safe, weak or insecure
---@return string?
function flow.getServerCipherClass() end

---@return boolean
function flow.hasMaliciousTlsSignature() end

---a new table with the fields protos.tls.*
---@return table<string, any>
function flow.getTLSInfo() end

---@return string?
function flow.getDnsQuery() end

---@return boolean
function flow.dnsQueryHasInvalidChars() end

---@return integer?
function flow.getICMPType() end

---@return { type: integer, code: integer }?
function flow.getICMPStatusInfo() end

---bytes of the longest message, header included; 0 without ICMP
---@return integer
function flow.getMaxSeenIcmpPayloadSize() end

---JSON of an intrusion detection system's alert; the same one only once
---@return string?
function flow.retrieveExternalAlertInfo() end

---a new table: what is recorded of hosts' communication
---@return table<string, any>
function flow.getMUDInfo() end

---disabled, general_purpose or special_purpose
---@return string
function flow.getClientMUDPref() end

---@return string
function flow.getServerMUDPref() end

---always false: hosts are known by their addresses
---@return boolean
function flow.serializeClientByMac() end

---@return boolean
function flow.serializeServerByMac() end

---the flow should have ended long ago
---@return boolean
function flow.isNotPurged() end

---@param status flowpatrol.AnyStatus
---@return boolean
function flow.isStatusSet(status) end

---sets it and adds the scores; false if it was set already
---@param status flowpatrol.AnyStatus
---@param flow_score? integer
---@param client_score? integer
---@param server_score? integer
---@return boolean
function flow.setStatus(status, flow_score, client_score, server_score) end

---the scores stay
---@param status flowpatrol.AnyStatus
function flow.clearStatus(status) end

---4.2: (status.create(severity, …), flow_score, client_score, server_score); 4.0: (status, info or nil, flow_score, client_score, server_score [, severity]). Of a call's statuses that with the highest score becomes an alert
---@param status flowpatrol.StatusInfo|flowpatrol.AnyStatus
---@param ... any
function flow.triggerStatus(status, ...) end

---raises an alert at once: alert_consts.alert_types.NAME.alert_id, alert_consts.alert_severities.NAME.severity_id, what to keep with it
---@param type_id integer
---@param severity_id integer
---@param info? string|table
function flow.storeAlert(type_id, severity_id, info) end

---the same as storeAlert
---@param type_id integer
---@param severity_id integer
---@param info? string|table
function flow.triggerAlert(type_id, severity_id, info) end

---goes with the alerts of 4.x
---@param text string
function flow.setCustomInfo(text) end

---0 to 65534
---@param score integer
function flow.setScore(score) end

---@return integer
function flow.getScore() end

---of the host, 0 to 65534
---@param score integer
function flow.setClientScore(score) end

---0 if it has none
---@return integer
function flow.getClientScore() end

---@param score integer
function flow.setServerScore(score) end

---@return integer
function flow.getServerScore() end

---a new table
---@return { status_map: integer, score: integer, status_info?: string }
function flow.getScoreInfo() end

---id of the strongest status that the generation knows, 0 if none is set
---@return integer
function flow.getPredominantStatus() end

---id of the status that the flow's alert was raised for, 0 without
---@return integer
function flow.getAlertedStatus() end

---@return integer
function flow.getAlertedStatusScore() end
