-- Flow statuses: `flow_consts.status_<name>` is the id (the bit in info.status_map),
-- `flow_consts.flow_status_types[id]` describes it. The relevance says how much a status matters, 0 to 100.

local flow_consts = { flow_status_types = {} }

-- id, name, relevance, title
local statuses = {
  { 0, 'normal', 0, 'Normal' },
  { 1, 'slow_tcp_connection', 10, 'Slow TCP connection' },
  { 2, 'slow_application_header', 10, 'Slow application header' },
  { 3, 'slow_data_exchange', 10, 'Slow data exchange' },
  { 4, 'low_goodput', 10, 'Low goodput' },
  { 5, 'suspicious_tcp_syn_probing', 30, 'Suspicious TCP SYN probing' },
  { 6, 'tcp_connection_issues', 10, 'TCP connection issues' },
  { 7, 'suspicious_tcp_probing', 30, 'Suspicious TCP probing' },
  { 8, 'flow_when_interface_alerted', 10, 'Flow while the interface was alerted' },
  { 9, 'tcp_connection_refused', 10, 'TCP connection refused' },
  { 10, 'ssl_certificate_mismatch', 50, 'TLS certificate mismatch' },
  { 11, 'dns_invalid_query', 30, 'Invalid DNS query' },
  { 12, 'remote_to_remote', 50, 'Remote to remote' },
  { 13, 'blacklisted', 100, 'Blacklisted' },
  { 14, 'blocked', 50, 'Blocked' },
  { 15, 'web_mining_detected', 50, 'Web mining' },
  { 16, 'device_protocol_not_allowed', 80, 'Protocol not allowed for the device' },
  { 17, 'elephant_local_to_remote', 20, 'Large upload' },
  { 18, 'elephant_remote_to_local', 20, 'Large download' },
  { 19, 'longlived', 20, 'Long-lived flow' },
  { 20, 'not_purged', 0, 'Not purged' },
  { 21, 'ids_alert', 0, 'Reported by an IDS' },
  { 22, 'tcp_severe_connection_issues', 20, 'Severe TCP connection issues' },
  { 23, 'ssl_unsafe_ciphers', 50, 'Unsafe TLS cipher' },
  { 24, 'data_exfiltration', 30, 'Data exfiltration' },
  { 25, 'ssl_old_protocol_version', 30, 'Obsolete TLS version' },
  { 26, 'potentially_dangerous', 20, 'Potentially dangerous protocol' },
  { 27, 'malicious_signature', 80, 'Malicious TLS fingerprint' },
}

for _, status in ipairs(statuses) do
  local id, name, relevance, title = status[1], status[2], status[3], status[4]
  flow_consts['status_' .. name] = id
  flow_consts.flow_status_types[id] = { relevance = relevance, i18n_title = title, name = name }
end

return flow_consts
