--[[
  Removes one chunk of finished jobs, oldest first, and tells what that freed.
  Left alone: a failed child that its parent still waits for (removing it would let the parent start).
  KEYS[1] <queue>:completed or <queue>:failed (a sorted set by time of finishing)
  ARGV[1] <queue>: (start of the job keys)   ARGV[2] newest time of finishing to remove, in ms, or '+inf'
  ARGV[3] newest jobs to keep   ARGV[4] jobs looked at by this call   ARGV[5] jobs at the old end to step over
  Returns {removed, freed bytes, skipped}; a call that removes and skips nothing means the end.
]]
local set, base = KEYS[1], ARGV[1]
local spare = redis.call('ZCARD', set) - tonumber(ARGV[3]) - tonumber(ARGV[5])
local most = math.min(tonumber(ARGV[4]), spare)
if most <= 0 then return { 0, 0, 0 } end
local ids = redis.call('ZRANGEBYSCORE', set, '-inf', ARGV[2], 'LIMIT', ARGV[5], most)
local removed, freed, skipped = 0, 0, 0

local function isAwaited(jobKey)
  local parentKey = redis.call('HGET', jobKey, 'parentKey')
  if not parentKey then return false end
  -- In a Cluster the parent may lie in another slot; then it is not known, and the job stays.
  local isKnown, member = pcall(redis.call, 'SISMEMBER', parentKey .. ':dependencies', jobKey)
  return not isKnown or member == 1
end

local function bytesOf(key)
  local isKnown, bytes = pcall(redis.call, 'MEMORY', 'USAGE', key)
  return isKnown and type(bytes) == 'number' and bytes or 0
end

for _, id in ipairs(ids) do
  local jobKey = base .. id
  if isAwaited(jobKey) then
    skipped = skipped + 1
  else
    local logs = jobKey .. ':logs'
    freed = freed + bytesOf(jobKey) + bytesOf(logs)
    local deduplicationId = redis.call('HGET', jobKey, 'deid')
    if deduplicationId then
      local deduplicationKey = base .. 'de:' .. deduplicationId
      if redis.call('GET', deduplicationKey) == id then redis.call('DEL', deduplicationKey) end
    end
    redis.call('DEL', jobKey, logs, jobKey .. ':dependencies', jobKey .. ':processed', jobKey .. ':failed',
      jobKey .. ':unsuccessful')
    redis.call('ZREM', set, id)
    removed = removed + 1
  end
end
return { removed, freed, skipped }
