--[[
  Looks at one window of a list or sorted set of jobs, oldest (lowest score) first, and returns what parking needs to
  know of each. Writes nothing. Workers take jobs meanwhile: the window begins after the last id that was left,
  wherever that stands now.
  KEYS[1] <queue>:wait, :paused, :prioritized or :delayed
  ARGV[1] <queue>: (start of the job keys)   ARGV[2] 'list' or 'zset'   ARGV[3] jobs to step over
  ARGV[4] jobs to look at   ARGV[5] bytes of data after which the window ends early   ARGV[6] '1': with all fields
  ARGV[7] last id that stayed, or ''   ARGV[8] its score   ARGV[9...] job types; none: all
  Returns {jobs looked at, jobs stepped over, length, {id, score of each that was looked at...}, {job...}}, a job being
  {id, score, type (job-type.lua), bytes or -1, parent, deduplication, scheduler, logs, flow, [field, value...]}; the five are 1 or 0.
]]
local key, base, kind = KEYS[1], ARGV[1], ARGV[2]
local offset, size, mostBytes = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local withFields, edge = ARGV[6] == '1', ARGV[7]
local wanted, hasFilter = {}, #ARGV > 8
for i = 9, #ARGV do wanted[ARGV[i]] = true end
local canMeasure = true

local function placeAfterEdge()
  if edge == '' or offset == 0 then return offset end
  if kind == 'list' then
    local fromTail = redis.call('LPOS', key, edge, 'RANK', -1, 'MAXLEN', offset + 1)
    if not fromTail then return math.max(0, offset - size) end
    return redis.call('LLEN', key) - fromTail
  end
  local rank = redis.call('ZRANK', key, edge)
  if rank then return rank + 1 end
  return redis.call('ZCOUNT', key, '-inf', ARGV[8])
end

local function window(from)
  local pairs = {}
  if kind == 'list' then
    local ids = redis.call('LRANGE', key, -(from + size), -(from + 1))
    for i = #ids, 1, -1 do pairs[#pairs + 1] = { ids[i], '' } end
    return pairs
  end
  local flat = redis.call('ZRANGE', key, from, from + size - 1, 'WITHSCORES')
  for i = 1, #flat, 2 do pairs[#pairs + 1] = { flat[i], flat[i + 1] } end
  return pairs
end

local function bytesOf(jobKey)
  if not canMeasure then return -1 end
  local bytes = redis.pcall('MEMORY', 'USAGE', jobKey, 'SAMPLES', 0)
  if type(bytes) == 'table' then
    canMeasure = false
    return -1
  end
  return tonumber(bytes) or 0
end

local function flag(value) return value and value ~= '' and 1 or 0 end

local length = kind == 'list' and redis.call('LLEN', key) or redis.call('ZCARD', key)
local from = placeAfterEdge()
local jobs, entries, looked, heldBytes = {}, {}, 0, 0
for _, entry in ipairs(window(from)) do
  local id, score = entry[1], entry[2]
  local jobKey = base .. id
  local facts = redis.call('HMGET', jobKey, 'parentKey', 'parent', 'deid', 'rjk')
  local jobType = typeOfJob(jobKey)
  looked = looked + 1
  entries[#entries + 1] = id
  entries[#entries + 1] = score
  if not hasFilter or wanted[jobType] then
    local job = {
      id, score, jobType, bytesOf(jobKey), math.max(flag(facts[1]), flag(facts[2])), flag(facts[3]),
      flag(facts[4]), redis.call('EXISTS', jobKey .. ':logs'),
      redis.call('EXISTS', jobKey .. ':dependencies', jobKey .. ':processed', jobKey .. ':failed', jobKey .. ':unsuccessful') > 0
        and 1 or 0,
    }
    if withFields then
      local fields = redis.call('HGETALL', jobKey)
      for _, text in ipairs(fields) do heldBytes = heldBytes + #text end
      job[10] = fields
    end
    jobs[#jobs + 1] = job
    if heldBytes >= mostBytes then break end
  end
end
return { looked, from, length, entries, jobs }
