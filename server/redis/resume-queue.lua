--[[
  Lets a queue run again: takes back the console's pause, or the application's own pause, or both.
  A `paused` list that BullMQ 5 left is merged into `wait` and never laid over it. Its jobs are older, so they stay
  nearest to the end that workers take from (the right one), and all keep their order. Pause and pause go in the same
  step as the last job of that list: until then nothing starts, and a call that fails leaves every job in one list.
  KEYS[1] <queue>:meta         KEYS[2] <queue>:active   KEYS[3] <queue>:wait    KEYS[4] <queue>:prioritized
  KEYS[5] <queue>:delayed      KEYS[6] <queue>:marker   KEYS[7] <queue>:paused  KEYS[8] <queue>:events
  ARGV[1] jobs moved by one call at most
  Returns {jobs left in the paused list: call again until 0, jobs brought back by this call}.
]]
local meta, wait, paused, most = KEYS[1], KEYS[3], KEYS[7], tonumber(ARGV[1])
-- Runs of ids instead of one LMOVE each: 5,000 jobs hold Redis for 1 to 2 ms. Lua's unpack takes about 8,000 values.
local RUN = 1000

local function restoreConcurrency()
  local record = redis.call('HGET', meta, 'spillway.pause')
  if not record then return end
  -- A concurrency other than 0 was set by the application since: that is newer than what the record remembers.
  if redis.call('HGET', meta, 'concurrency') == '0' then
    local isReadable, pause = pcall(cjson.decode, record)
    local former = isReadable and type(pause) == 'table' and pause.formerConcurrency
    if type(former) == 'number' then
      redis.call('HSET', meta, 'concurrency', string.format('%.0f', former))
    else
      redis.call('HDEL', meta, 'concurrency')
    end
  end
  redis.call('HDEL', meta, 'spillway.pause')
end

-- The oldest of `wait` (right end) come before the newest of `paused` (left end).
local function moveWaitBeforePaused()
  while true do
    local ids = redis.call('LRANGE', wait, -RUN, -1)
    if #ids == 0 then return end
    local oldestFirst = {}
    for i = #ids, 1, -1 do oldestFirst[#oldestFirst + 1] = ids[i] end
    redis.call('LPUSH', paused, unpack(oldestFirst))
    redis.call('LTRIM', wait, 0, -#ids - 1)
  end
end

-- The newest of `paused` (left end) go behind the oldest of `wait` (right end).
local function movePausedBehindWait()
  local moved = 0
  while moved < most do
    local ids = redis.call('LRANGE', paused, 0, math.min(RUN, most - moved) - 1)
    if #ids == 0 then break end
    redis.call('RPUSH', wait, unpack(ids))
    redis.call('LTRIM', paused, #ids, -1)
    moved = moved + #ids
  end
  return moved
end

local function mergePaused()
  local parked = redis.call('LLEN', paused)
  if parked == 0 then return 0, 0 end
  local waiting = redis.call('LLEN', wait)
  if waiting > parked or waiting > most then
    local moved = movePausedBehindWait()
    return parked - moved, moved
  end
  -- The newer jobs are few: with them moved, `wait` does not exist, and the rename can overwrite nothing.
  moveWaitBeforePaused()
  redis.call('RENAME', paused, wait)
  return 0, parked
end

local left, moved = mergePaused()
if left > 0 then return { left, moved } end
restoreConcurrency()
if redis.call('HDEL', meta, 'paused') == 1 then
  local keep = redis.call('HGET', meta, 'opts.maxLenEvents') or 10000
  redis.call('XADD', KEYS[8], 'MAXLEN', '~', keep, '*', 'event', 'resumed')
end
wakeWorkers(meta, KEYS[2], wait, KEYS[4], KEYS[5], KEYS[6])
return { 0, moved }
