-- What scripts have in the string library beside Lua's own: ("a,b"):split(","). It can be interrupted, as a script itself.

-- Parts of `text` between the matches of a pattern.
function string.split(text, separator)
  local parts, from = {}, 1
  while true do
    local first, last = text:find(separator, from)
    if not first or last < first then break end
    parts[#parts + 1] = text:sub(from, first - 1)
    from = last + 1
  end
  parts[#parts + 1] = text:sub(from)
  return parts
end

function string.starts(text, beginning) return text:sub(1, #beginning) == beginning end

function string.ends(text, ending) return ending == '' or text:sub(-#ending) == ending end

function string.contains(text, part) return text:find(part, 1, true) ~= nil end
