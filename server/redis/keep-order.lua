--[[
  Keeps an order for the workers of a queue, or takes orders away. The texts of orders stay letter by letter as they were
  signed. Orders that are past their end go in passing.
  KEYS[1] <queue>:meta
  ARGV[1] field, ARGV[2] now in ms, ARGV[3] most entries
  ARGV[4] key to set or '' for none, ARGV[5] the signed order as JSON
  ARGV[6…] starts of keys to take away; '' for all
  Returns the number of orders that are kept afterwards, or -1 (and changes nothing) when there would be too many.
]]
local meta, field, now = KEYS[1], ARGV[1], tonumber(ARGV[2])
local text = redis.call('HGET', meta, field)
local isReadable, kept = pcall(cjson.decode, text or '{}')
if not isReadable or type(kept) ~= 'table' then kept = {} end

local function isOver(entry)
  if type(entry) ~= 'table' or type(entry.body) ~= 'string' then return true end
  local isOrder, order = pcall(cjson.decode, entry.body)
  return not isOrder or type(order) ~= 'table' or (type(order.untilMs) == 'number' and order.untilMs <= now)
end

local function isTaken(key)
  for i = 6, #ARGV do
    if string.sub(key, 1, #ARGV[i]) == ARGV[i] then return true end
  end
  return false
end

local left, count = {}, 0
for key, entry in pairs(kept) do
  if key ~= ARGV[4] and not isTaken(key) and not isOver(entry) then
    left[key] = entry
    count = count + 1
  end
end
if ARGV[4] ~= '' then
  if count >= tonumber(ARGV[3]) then return -1 end
  left[ARGV[4]] = cjson.decode(ARGV[5])
  count = count + 1
end
if count == 0 then
  redis.call('HDEL', meta, field)
else
  redis.call('HSET', meta, field, cjson.encode(left))
end
return count
