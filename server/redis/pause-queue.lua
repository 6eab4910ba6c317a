--[[
  Pauses a queue for BullMQ 5 and 6 alike: global concurrency 0, with what stood there before kept beside it. No list is
  renamed or moved, so no order of pauses, resumes and adds by either version can lose a job. Jobs that run go on; no
  worker of BullMQ 5.9 or newer starts another one until the queue is resumed.
  KEYS[1] <queue>:meta
  ARGV[1] now in ms, ARGV[2] actor
  Returns 1 when it paused the queue, 0 when it was paused already (then nothing is changed).
]]
local meta = KEYS[1]
local former = redis.call('HGET', meta, 'concurrency')
if redis.call('HEXISTS', meta, 'spillway.pause') == 1 and former == '0' then
  return 0
end
local record = { atMs = tonumber(ARGV[1]), actor = ARGV[2] }
record.formerConcurrency = former and tonumber(former) or cjson.null
redis.call('HSET', meta, 'concurrency', '0', 'spillway.pause', cjson.encode(record))
return 1
