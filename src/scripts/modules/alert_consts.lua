-- Ids and names of alert severities, types, entities and granularities.
--   alert_consts.alert_types.flow_blacklisted.alert_id, alert_consts.alert_severities.error.severity_id

local alert_consts = {}

alert_consts.alert_severities = {
  info = { severity_id = 0, syslog_severity = 6, label = 'label-info', i18n_title = 'Info' },
  warning = { severity_id = 1, syslog_severity = 4, label = 'label-warning', i18n_title = 'Warning' },
  error = { severity_id = 2, syslog_severity = 3, label = 'label-danger', i18n_title = 'Error' },
}

-- In the order of their ids, from 0 on.
local type_names = [[
  tcp_syn_flood flows_flood threshold_cross suspicious_activity alert_connection_issues flow_misbehaviour remote_to_remote
  flow_blacklisted flow_blocked new_device device_connection device_disconnection host_pool_connection
  host_pool_disconnection quota_exceeded misconfigured_app too_many_drops mac_ip_association_change port_status_change
  unresponsive_device process_notification web_mining nfq_flushed slow_stats_update alert_device_protocol_not_allowed
  alert_user_activity influxdb_export_failure port_errors test_failed inactivity active_flows_anomaly list_download_failed
  dns_anomaly icmp_anomaly broadcast_domain_too_large ids_alert ip_outsite_dhcp_range port_duplexstatus_change
  port_load_threshold_exceeded ping_issues slow_periodic_activity influxdb_dropped_points login_failed
  potentially_dangerous_protocol request_reply_ratio anomalous_tcp_flags misbehaving_flows_ratio ghost_network
  malicious_signature]]

local entity_names = [[
  interface host network snmp_device flow mac host_pool process user influx_db test category_lists pinged_host
  periodic_activity]]

-- "flow_blacklisted" -> "Flow blacklisted"
local function title_of(name)
  local text = name:gsub('^alert_', ''):gsub('_', ' ')
  return text:sub(1, 1):upper() .. text:sub(2)
end

local function numbered(names, id_key)
  local entries, id = {}, 0
  for name in names:gmatch('%S+') do
    entries[name] = { [id_key] = id, i18n_title = title_of(name) }
    id = id + 1
  end
  return entries
end

alert_consts.alert_types = numbered(type_names, 'alert_id')
alert_consts.alert_entities = numbered(entity_names, 'entity_id')

alert_consts.alerts_granularities = {
  min = { granularity_id = 1, granularity_seconds = 60 },
  ['5mins'] = { granularity_id = 2, granularity_seconds = 300 },
  hour = { granularity_id = 3, granularity_seconds = 3600 },
  day = { granularity_id = 4, granularity_seconds = 86400 },
}

return alert_consts
