-- What scripts from October 2019 on take from here: categories, input builders.

local _, world = ...
local user_scripts = { script_categories = {}, script_types = {}, NON_TRAFFIC_ELEMENT = 0 }

for id, name in ipairs({ 'other', 'security', 'internals', 'network', 'system' }) do
  user_scripts.script_categories[name] = { id = id - 1, icon = '', i18n_title = 'script_categories.' .. name }
end
for _, name in ipairs({ 'traffic_element', 'flow', 'snmp_device', 'system', 'syslog' }) do
  user_scripts.script_types[name] = { parent_dir = 'interface', subdirs = { name } }
end

-- Values for `gui.input_builder`: the script gets a switch.
function user_scripts.flow_checkbox_input_builder(check_module) return '' end
function user_scripts.checkbox_input_builder(gui_conf, input_id, value) return '' end

-- The scripts are loaded by flowpatrol itself; there is nothing to hand out.
function user_scripts.load(ifid, subdir) return { modules = {}, hooks = {} } end
function user_scripts.getSubdirectoryPath(script_type, subdir) return dirs.callbacksdir .. '/interface/' .. tostring(subdir or 'flow') end

return world.open_ended(user_scripts, 'user_scripts')
