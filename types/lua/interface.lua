---@meta _
-- Made by `node docs/generate.ts`. Do not edit.

---The interface that sees the flow.
---@class flowpatrol.Interface
interface = {}

---@return integer
function interface.getId() end

---@return string
function interface.getName() end

---number as text -> name
---@return table<string, string>
function interface.getIfNames() end

---there is one interface: its name
---@param name? string
---@return string
function interface.select(name) end

---false for flow records
---@return boolean
function interface.isPacketInterface() end

---packets of a file
---@return boolean
function interface.isPcapDumpInterface() end

---@return boolean
function interface.isSampledTraffic() end

---always false
---@return boolean
function interface.isView() end

---always false
---@return boolean
function interface.isViewed() end

---always nil
function interface.viewedBy() end

---@param id integer
---@return string
function interface.getnDPIProtoName(id) end

---0 if it is not known
---@param name string
---@return integer
function interface.getnDPIProtoId(name) end

---@param id integer
---@return string
function interface.getnDPICategoryName(id) end
