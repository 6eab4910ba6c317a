--[[
  Puts orders into what a queue keeps for its workers, or takes them away, all at once. The texts of orders stay letter by
  letter as they were signed. What is past its end or no order at all goes in passing; what cannot be read may be of a
  later console and stays.
  KEYS[1] <queue>:meta
  ARGV[1] field, ARGV[2] now in ms, ARGV[3] most entries, ARGV[4] 'all' to take every order away first, else ''
  ARGV[5…] by threes: a key, the signed order for it as JSON ('' for none), and the body that has to stand there for it to
           be done ('' for nothing, '*' for whatever there is)
  Returns the number of orders that are kept afterwards and, as JSON, those that were taken away or replaced; -1 and {}
  when there would be too many: then nothing is changed.
]]
local meta, field, now, most = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local text = redis.call('HGET', meta, field)
local isReadable, found = pcall(cjson.decode, text or '{}')
if not isReadable or type(found) ~= 'table' then found = {} end

local function isOver(entry)
  if type(entry) ~= 'table' or type(entry.body) ~= 'string' then return true end
  local isOrder, order = pcall(cjson.decode, entry.body)
  return isOrder and type(order) == 'table' and type(order.untilMs) == 'number' and order.untilMs <= now
end

local kept, before = {}, 0
for key, entry in pairs(found) do
  if type(key) == 'string' and not isOver(entry) then
    kept[key] = entry
    before = before + 1
  end
end

local former, count = {}, before
if ARGV[4] == 'all' then
  former, kept, count = kept, {}, 0
end
for i = 5, #ARGV, 3 do
  local key, wanted, needed = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local stood = kept[key]
  local body = stood and stood.body or ''
  if needed == '*' or needed == body then
    if stood then
      former[key] = stood
      kept[key] = nil
      count = count - 1
    end
    local entry = wanted ~= '' and cjson.decode(wanted) or nil
    if entry and not isOver(entry) then
      kept[key] = entry
      count = count + 1
    end
  end
end

if count > most and count > before then return { -1, '{}' } end
if count == 0 then
  redis.call('HDEL', meta, field)
else
  redis.call('HSET', meta, field, cjson.encode(kept))
end
return { count, cjson.encode(former) }
