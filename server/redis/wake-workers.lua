--[[
  Part of other scripts, put before them: wakes idle workers where there is something for them to take.
  A BullMQ worker (5 and 6) without work blocks on the marker set and else looks again only after some seconds. A member
  "0" says that a job waits; a member "1", scored with a time, when the next delayed job is due.
  Sets no marker while the queue is paused or all its slots are taken: a worker would be woken for nothing.
]]
local function wakeWorkers(meta, active, wait, prioritized, delayed, marker)
  if redis.call('HEXISTS', meta, 'paused') == 1 then return end
  local limit = tonumber(redis.call('HGET', meta, 'concurrency') or '')
  if limit and redis.call('LLEN', active) >= limit then return end
  if redis.call('LLEN', wait) + redis.call('ZCARD', prioritized) > 0 then
    redis.call('ZADD', marker, 0, '0')
    return
  end
  local nextDelayed = redis.call('ZRANGE', delayed, 0, 0, 'WITHSCORES')
  -- BullMQ keeps the due time × 4096, plus a counter, as the score of a delayed job.
  if nextDelayed[2] then
    redis.call('ZADD', marker, string.format('%.0f', math.floor(tonumber(nextDelayed[2]) / 4096)), '1')
  end
end
