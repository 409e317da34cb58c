---@meta alerts_api
-- Made by `node docs/generate.ts`. Do not edit.

---What a script calls to raise an alert.
---@class flowpatrol.modules.alerts_api
local alerts_api = {}

---raises an alert about the current flow; the information goes with it
---@param alert_type flowpatrol.AlertType|integer
---@param alert_severity flowpatrol.Severity|integer
---@param flow_info? flowpatrol.Info|table|string
function alerts_api.storeFlowAlert(alert_type, alert_severity, flow_info) end

---value for gui.input_builder: the script gets a switch
---@param check_module table
---@return string
function alerts_api.flow_checkbox_input_builder(check_module) end

---@param gui_conf table
---@param input_id string
---@param value any
---@return string
function alerts_api.checkbox_input_builder(gui_conf, input_id, value) end

---an alert about another entity, raised with the current flow
---@param about flowpatrol.AlertEntity
---@param type_info flowpatrol.AlertInfo
---@param when? integer
---@return boolean
function alerts_api.store(about, type_info, when) end

---the same, once until it is released
---@param about flowpatrol.AlertEntity
---@param type_info flowpatrol.AlertInfo
---@param when? integer
---@return boolean
function alerts_api.trigger(about, type_info, when) end

---@param about flowpatrol.AlertEntity
---@param type_info flowpatrol.AlertInfo
---@param when? integer
---@return boolean
function alerts_api.release(about, type_info, when) end

---empty: flowpatrol loads the scripts
---@param enabled_only? boolean
---@return table<string, table>
function alerts_api.load_flow_check_modules(enabled_only) end

---does nothing: flowpatrol measures the scripts
---@param benchmarks table
function alerts_api.store_flow_check_modules_benchmarks(benchmarks) end

---always nil
---@param key string
function alerts_api.get_flow_check_module_benchmarks(key) end

---@param value string|integer
---@param vlan? integer
---@return flowpatrol.AlertEntity
function alerts_api.hostAlertEntity(value, vlan) end

---@param value string|integer
---@param vlan? integer
---@return flowpatrol.AlertEntity
function alerts_api.interfaceAlertEntity(value, vlan) end

---@param value string|integer
---@param vlan? integer
---@return flowpatrol.AlertEntity
function alerts_api.networkAlertEntity(value, vlan) end

---@param value string|integer
---@param vlan? integer
---@return flowpatrol.AlertEntity
function alerts_api.macEntity(value, vlan) end

---@param value string|integer
---@param vlan? integer
---@return flowpatrol.AlertEntity
function alerts_api.userEntity(value, vlan) end

---@param value string|integer
---@param vlan? integer
---@return flowpatrol.AlertEntity
function alerts_api.processEntity(value, vlan) end

---@param value string|integer
---@param vlan? integer
---@return flowpatrol.AlertEntity
function alerts_api.hostPoolEntity(value, vlan) end

---@param value string|integer
---@param vlan? integer
---@return flowpatrol.AlertEntity
function alerts_api.pingedHostEntity(value, vlan) end

---@param value string|integer
---@param vlan? integer
---@return flowpatrol.AlertEntity
function alerts_api.categoryListsEntity(value, vlan) end

---@param value string|integer
---@param vlan? integer
---@return flowpatrol.AlertEntity
function alerts_api.snmpDeviceEntity(value, vlan) end

---@param value string|integer
---@param vlan? integer
---@return flowpatrol.AlertEntity
function alerts_api.snmpInterfaceEntity(value, vlan) end

---@param value string|integer
---@param vlan? integer
---@return flowpatrol.AlertEntity
function alerts_api.influxdbEntity(value, vlan) end

---@param value string|integer
---@param vlan? integer
---@return flowpatrol.AlertEntity
function alerts_api.periodicActivityEntity(value, vlan) end

---@param value string|integer
---@param vlan? integer
---@return flowpatrol.AlertEntity
function alerts_api.flowAlertEntity(value, vlan) end

return alerts_api
