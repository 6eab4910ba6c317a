--[[
  Removes one chunk of finished jobs, oldest first, with all that belongs to them, and answers what that freed.
  Of each job: hash, logs, lists of children, lock, and its deduplication key where that still points at this job.
  Left alone: a failed child that its parent still waits for (removing it would let the parent start, or remove it too).
  KEYS[1] <queue>:completed or <queue>:failed (a sorted set by time of finishing)   KEYS[2] <queue>:events
  ARGV[1] <queue>: (start of the job keys)   ARGV[2] newest time of finishing to remove, in ms, or '+inf'
  ARGV[3] newest jobs to keep   ARGV[4] jobs looked at by this call   ARGV[5] jobs at the old end to step over
  What the set itself gives back is measured up to 10,000 jobs; above, MEMORY USAGE of the whole would hold Redis up the
  longer the more it holds (12 ns a job, twice), so it is what 100 of its members take on average, without its
  hash table, which shrinks later: within a twentieth of what is answered.
  Returns {removed, freed bytes or -1 where MEMORY USAGE is not permitted, skipped, jobs in range not looked at yet}.
]]
local set, base, offset = KEYS[1], ARGV[1], tonumber(ARGV[5])
local PARTS = { '', ':logs', ':dependencies', ':processed', ':failed', ':unsuccessful', ':lock' }
local removed, freed, skipped = 0, 0, 0
local canMeasure = true

local MEASURED_WHOLE = 10000

local function bytesOf(key, samples)
  if not canMeasure then return 0 end
  local bytes = redis.pcall('MEMORY', 'USAGE', key, 'SAMPLES', samples or 0)
  if type(bytes) == 'table' then
    canMeasure = false
    return 0
  end
  return tonumber(bytes) or 0
end

local function remove(keys)
  -- Most jobs are a hash and nothing else: one question instead of six measurements.
  local isMore = #keys > 2 and redis.call('EXISTS', unpack(keys, 2)) > 0
  for i = 1, (isMore or #keys <= 2) and #keys or 1 do freed = freed + bytesOf(keys[i]) end
  redis.call('DEL', unpack(keys))
end

-- A parent in another slot, or out of this user's reach, answers with an error: then it is not known, and the job stays.
local function isAwaited(jobKey, parentKey)
  if not parentKey or parentKey == '' then return false end
  return redis.pcall('SISMEMBER', parentKey .. ':dependencies', jobKey) ~= 0
end

local byAge = redis.call('ZCOUNT', set, '-inf', ARGV[2])
local held = redis.call('ZCARD', set)
local inRange = math.max(0, math.min(byAge, held - tonumber(ARGV[3])) - offset)
local looked = math.min(inRange, tonumber(ARGV[4]))
if looked == 0 then return { 0, 0, 0, 0 } end

local isSmall = held <= MEASURED_WHOLE
local setBefore = bytesOf(set, isSmall and 0 or 100)
local gone = {}
for _, id in ipairs(redis.call('ZRANGE', set, offset, offset + looked - 1)) do
  local jobKey = base .. id
  local facts = redis.call('HMGET', jobKey, 'parentKey', 'deid')
  if isAwaited(jobKey, facts[1]) then
    skipped = skipped + 1
  else
    if facts[2] and redis.call('GET', base .. 'de:' .. facts[2]) == id then
      remove({ base .. 'de:' .. facts[2], base .. 'dn:' .. facts[2] })
    end
    local keys = {}
    for i, part in ipairs(PARTS) do keys[i] = jobKey .. part end
    remove(keys)
    gone[#gone + 1] = id
  end
end
removed = #gone
if removed > 0 then
  redis.call('ZREM', set, unpack(gone))
  if isSmall then
    freed = freed + math.max(0, setBefore - bytesOf(set))
  else
    local tableBytes = 8 * 2 ^ math.ceil(math.log(held) / math.log(2))
    freed = freed + math.floor(math.max(0, setBefore - tableBytes) / held * removed)
  end
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10000, '*', 'event', 'cleaned', 'count', removed)
end
return { removed, canMeasure and freed or -1, skipped, inRange - looked }
