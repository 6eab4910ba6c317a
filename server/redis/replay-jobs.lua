--[[
  Moves finished jobs back to waiting, each exactly once for one replay, as BullMQ's reprocessJob does for one job
  (5: reprocessJob-8.lua, 6: reprocessJob-9.lua): finishedOn, processedOn and the outcome are taken from the job, a child
  goes back to the open children of its parent, `waiting` goes to the events stream, idle workers are woken.
  A job is moved only while it is in the set with the score at which it was found. What is moved carries the replay's id
  (`spillway.replay` in its hash): a job that has failed again, whatever the clock of its worker says, is not moved twice,
  and after a crash it shows who moved it. Each job is done wholly or not at all; keys outside the queue are tried first.
  Unlike BullMQ 5 a prioritized job goes back to the prioritized ones, as in BullMQ 6. Deduplication keys are left alone.
  KEYS[1] <queue>:failed or <queue>:completed   KEYS[2] <queue>:meta    KEYS[3] <queue>:active   KEYS[4] <queue>:wait
  KEYS[5] <queue>:paused   KEYS[6] <queue>:prioritized   KEYS[7] <queue>:pc   KEYS[8] <queue>:marker  KEYS[9] <queue>:events
  ARGV[1] <queue>: (start of the job keys)   ARGV[2] failed or completed   ARGV[3] id of the replay
  ARGV[4] 1: all attempts anew   ARGV[5] number of the batch   ARGV[6…] id and score of each job
  Returns {characters, µs that this call has held Redis; 0 where its clock stands still in a script}. One code a job:
  M moved, A moved before in this batch, D moved before in another batch of this replay, N in another state now, G gone
  altogether, P parent of a flow, S its parent is in another slot, H its hash is gone.
]]
-- A user who may not ask for the time gets 0.
local function usecNow()
  local time = redis.pcall('TIME')
  return time.err and 0 or time[1] * 1000000 + time[2]
end
local startedUsec = usecNow()
local set, meta, base, state, replay = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3]
local mark = replay .. ':' .. ARGV[5]
local outcome = state == 'failed' and 'failedReason' or 'returnvalue'

-- A script is not rolled back. What could go wrong after a job is taken from its set (a key that holds something else) is
-- made to go wrong here.
redis.call('LLEN', KEYS[4])
redis.call('ZCARD', KEYS[6])
redis.call('ZCARD', KEYS[8])
redis.call('XLEN', KEYS[9])
if tonumber(redis.call('GET', KEYS[7]) or '0') == nil then error('the priority counter is no number') end

local settings = redis.call('HMGET', meta, 'paused', 'concurrency', 'version', 'opts.maxLenEvents')
local isPaused = settings[1]
local major = tonumber(string.match(settings[3] or '', '^bullmq[%a%-]*:(%d+)') or '0')
-- BullMQ 5 keeps waiting jobs of a paused queue in `paused`, and renames that over `wait` when it is resumed.
local isPausedByV5 = redis.call('LLEN', KEYS[5]) > 0 or (isPaused and major < 6)
local target = isPausedByV5 and KEYS[5] or KEYS[4]
local isHeld = isPaused or isPausedByV5
  or (settings[2] and redis.call('LLEN', KEYS[3]) >= tonumber(settings[2]))
local maxEvents = tonumber(settings[4] or '') or 10000

local function isFlowParent(jobKey)
  return redis.call('EXISTS', jobKey .. ':dependencies', jobKey .. ':processed', jobKey .. ':failed',
    jobKey .. ':unsuccessful') > 0
end

local function backToParent(jobKey, parentKey)
  if state == 'failed' then
    if redis.pcall('ZREM', parentKey .. ':unsuccessful', jobKey) == 1
      or redis.pcall('HDEL', parentKey .. ':failed', jobKey) == 1 then
      redis.pcall('SADD', parentKey .. ':dependencies', jobKey)
    end
  elseif redis.pcall('HDEL', parentKey .. ':processed', jobKey) == 1 then
    redis.pcall('SADD', parentKey .. ':dependencies', jobKey)
  end
end

-- The options may be long: they are looked through, and only read as JSON where the word is in them.
local function isLifo(opts)
  if not opts or not string.find(opts, '"lifo":true', 1, true) then return false end
  local isReadable, parsed = pcall(cjson.decode, opts)
  return isReadable and type(parsed) == 'table' and parsed.lifo == true
end

local function move(id, score)
  local jobKey = base .. id
  local facts = redis.pcall('HMGET', jobKey, 'spillway.replay', 'parentKey', 'priority', 'opts', 'name', 'timestamp')
  if facts.err then return 'H' end
  if facts[1] == mark then return 'A' end
  if facts[1] and string.sub(facts[1], 1, #replay + 1) == replay .. ':' then return 'D' end
  local isMissing = not facts[5] and not facts[6]
  local found = redis.call('ZSCORE', set, id)
  if not found then return isMissing and 'G' or 'N' end
  if tonumber(found) ~= tonumber(score) then return 'N' end
  if isMissing then return 'H' end
  if isFlowParent(jobKey) then return 'P' end
  local hasParent = false
  if facts[2] and facts[2] ~= '' then
    -- In a Cluster a parent in another slot is out of reach: an error, before anything of this job is changed.
    local answer = redis.pcall('EXISTS', facts[2])
    if type(answer) == 'table' then return 'S' end
    hasParent = answer == 1
  end
  redis.call('ZREM', set, id)
  redis.call('HDEL', jobKey, 'finishedOn', 'processedOn', outcome)
  if ARGV[4] == '1' then redis.call('HDEL', jobKey, 'atm', 'ats') end
  redis.call('HSET', jobKey, 'spillway.replay', mark)
  local priority = tonumber(facts[3] or '') or 0
  if priority > 0 then
    local counter = redis.call('INCR', KEYS[7])
    redis.call('ZADD', KEYS[6], string.format('%.0f', priority * 0x100000000 + counter % 0x100000000), id)
  else
    redis.call(isLifo(facts[4]) and 'RPUSH' or 'LPUSH', target, id)
  end
  if hasParent then backToParent(jobKey, facts[2]) end
  redis.call('XADD', KEYS[9], 'MAXLEN', '~', maxEvents, '*', 'event', 'waiting', 'jobId', id, 'prev', state)
  return 'M'
end

local results = {}
local hasMoved = false
for i = 6, #ARGV, 2 do
  local code = move(ARGV[i], ARGV[i + 1])
  hasMoved = hasMoved or code == 'M'
  results[#results + 1] = code
end
if hasMoved and not isHeld then redis.call('ZADD', KEYS[8], 0, '0') end
return { table.concat(results), math.max(0, usecNow() - startedUsec) }
