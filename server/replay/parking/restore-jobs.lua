--[[
  Part before it: wake-workers. Brings a batch of parked jobs back as they were, and leaves a receipt in the same step.
  Nothing is brought back twice: not where the id is in Redis again, and not where Redis itself fell back (a crash, a
  replica that lagged) to a time before the job was taken out. A batch whose receipt is there is not carried out again.
  Waiting jobs go behind those that wait now, in the order given. BullMQ's counters of ids and priorities stay as they
  are: a prioritized job has its old place among its equals. Refused by Redis when it is full: that comes first.
  KEYS[1] <queue>:spillway:parked   KEYS[2] meta   KEYS[3] active   KEYS[4] wait   KEYS[5] prioritized
  KEYS[6] delayed   KEYS[7] marker   KEYS[8] paused
  ARGV[1] <queue>:   ARGV[2] batch   ARGV[3] whose mark (mark-epoch.lua); then for each job: id, place ('waiting',
  'prioritized', 'delayed'), score, batch that took it out or '', number of texts, field, value...
  Returns the receipt: a code for each job: '1' is back, 'x' its id is there already, 'b' Redis fell back.
]]
local receipts, meta, wait, prioritized, delayed, marker = KEYS[1], KEYS[2], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local paused, base, batch = KEYS[8], ARGV[1], 'r' .. ARGV[2]

local known = redis.call('HGET', receipts, batch)
if known then return known end

-- A refusal in the midst would leave half a batch: what could be refused is asked before.
local function mustBe(key, wanted)
  local is = redis.call('TYPE', key).ok
  if is ~= 'none' and is ~= wanted then error('WRONGTYPE ' .. key) end
end
mustBe(receipts, 'hash') mustBe(meta, 'hash') mustBe(KEYS[3], 'list') mustBe(wait, 'list') mustBe(paused, 'list')
mustBe(prioritized, 'zset') mustBe(delayed, 'zset') mustBe(marker, 'zset')
local next = 4
while next <= #ARGV do
  local place, score, count = ARGV[next + 1], tonumber(ARGV[next + 2]), tonumber(ARGV[next + 4])
  if not count or count < 2 or count % 2 == 1 or next + 4 + count > #ARGV then error('fields of ' .. ARGV[next]) end
  if place ~= 'waiting' and not (score and score == score) then error('score of ' .. ARGV[next]) end
  next = next + 5 + count
end

-- BullMQ 5 pauses by renaming `wait`, and adds to `paused` meanwhile; 6 leaves jobs in `wait`.
local function waitingList()
  if redis.call('HEXISTS', meta, 'paused') == 0 then return wait end
  if redis.call('LLEN', paused) > 0 then return paused end
  local major = tonumber(string.match(redis.call('HGET', meta, 'version') or '', ':(%d+)')) or 5
  return major < 6 and paused or wait
end

-- Without it Redis was emptied since: it knows nothing of what was taken out. See mark-epoch.lua.
local isSameEpoch = redis.call('HEXISTS', receipts, 'epoch:' .. ARGV[3]) == 1
local wasTaken = {}
local function fellBack(takenBy)
  if takenBy == '' or not isSameEpoch then return false end
  if wasTaken[takenBy] == nil then wasTaken[takenBy] = redis.call('HEXISTS', receipts, 'p' .. takenBy) == 1 end
  return not wasTaken[takenBy]
end

redis.call('HSET', receipts, batch, '')
local target, marks, hasDelayed, at = waitingList(), {}, false, 4
while at <= #ARGV do
  local id, place, score, takenBy, count = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], tonumber(ARGV[at + 4])
  local first = at + 5
  at = first + count
  local jobKey = base .. id
  if redis.call('EXISTS', jobKey) == 1 then
    marks[#marks + 1] = 'x'
  elseif fellBack(takenBy) then
    marks[#marks + 1] = 'b'
  else
    redis.call('HSET', jobKey, unpack(ARGV, first, at - 1))
    if place == 'prioritized' then
      redis.call('ZADD', prioritized, score, id)
    elseif place == 'delayed' then
      redis.call('ZADD', delayed, score, id)
      hasDelayed = true
    else
      redis.call('LPUSH', target, id)
    end
    marks[#marks + 1] = '1'
  end
end
if hasDelayed then
  local nextDelayed = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
  redis.call('ZADD', marker, string.format('%.0f', math.floor(tonumber(nextDelayed[2]) / 4096)), '1')
end
wakeWorkers(meta, KEYS[3], wait, prioritized, delayed, marker)
local receipt = table.concat(marks)
redis.call('HSET', receipts, batch, receipt)
return receipt
