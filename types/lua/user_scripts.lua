---@meta user_scripts
-- Made by `node docs/generate.ts`. Do not edit.

---Categories and input builders. Other functions of the original do nothing, and say so once.
---@class flowpatrol.modules.user_scripts
---@field script_categories table<string, { id: integer, icon: string, i18n_title: string }> other, security, internals, network, system
---@field script_types table<string, table>
---@field NON_TRAFFIC_ELEMENT integer
local user_scripts = {}

---value for gui.input_builder: the script gets a switch
---@param check_module table
---@return string
function user_scripts.flow_checkbox_input_builder(check_module) end

---@param gui_conf table
---@param input_id string
---@param value any
---@return string
function user_scripts.checkbox_input_builder(gui_conf, input_id, value) end

---empty: flowpatrol loads the scripts
---@param ifid integer
---@param subdir string
---@param hook_filter? string
---@param ignore_disabled? boolean
---@return { modules: table, hooks: table }
function user_scripts.load(ifid, subdir, hook_filter, ignore_disabled) end

---@param script_type any
---@param subdir? string
---@return string
function user_scripts.getSubdirectoryPath(script_type, subdir) end

return user_scripts
