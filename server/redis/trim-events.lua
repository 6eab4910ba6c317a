--[[
  Cuts a queue's events stream to its newest entries. No job is touched.
  KEYS[1] <queue>:events
  ARGV[1] entries to keep   ARGV[2] entries removed by one call at most
  Returns {entries removed, entries left, bytes freed or -1 where MEMORY USAGE is not permitted}.
]]
local function bytes()
  local size = redis.pcall('MEMORY', 'USAGE', KEYS[1], 'SAMPLES', 0)
  return type(size) ~= 'table' and (tonumber(size) or 0) or nil
end

local before = bytes()
local length = redis.call('XLEN', KEYS[1])
local target = math.max(tonumber(ARGV[1]), length - tonumber(ARGV[2]))
if target >= length then return { 0, length, before and 0 or -1 } end
local removed = redis.call('XTRIM', KEYS[1], 'MAXLEN', target)
local after = bytes()
return { removed, length - removed, before and after and math.max(0, before - after) or -1 }
