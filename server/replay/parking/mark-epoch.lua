--[[
  Marks that this installation takes jobs out of this queue, before it takes the first one. Where the mark is and the
  receipt of a batch is not, Redis has fallen back to a time before that batch; where the mark is missing too, Redis was
  emptied. Were both written in the same second, a Redis that loses that second would look emptied, and a job that it has
  run since would be brought back: so the first batch waits until the mark is surely kept.
  KEYS[1] <queue>:spillway:parked   ARGV[1] whose mark   ARGV[2] ms after which what Redis took is on disk and on replicas
  Returns the ms to wait still: 0 where nothing is kept by the second, as nothing is written on disk or sent to replicas.
]]
local field = 'epoch:' .. ARGV[1]
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSETNX', KEYS[1], field, string.format('%.0f', nowMs))

-- Who may not ask takes it that there is.
local function isZero(section, name)
  local info = redis.pcall('INFO', section)
  return type(info) == 'string' and string.find(info, name .. ':0', 1, true) ~= nil
end
if isZero('persistence', 'aof_enabled') and isZero('replication', 'connected_slaves') then return 0 end
local sinceMs = tonumber(redis.call('HGET', KEYS[1], field))
return math.max(0, sinceMs + tonumber(ARGV[2]) - nowMs)
