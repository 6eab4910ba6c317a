--[[
  Sets or removes a queue's global concurrency. On a queue that the console has halted it changes what the resume will
  restore, and the halt stays. A record of a halt that the application has overridden goes: it says nothing true.
  KEYS[1] <queue>:meta     KEYS[2] <queue>:active   KEYS[3] <queue>:wait   KEYS[4] <queue>:prioritized
  KEYS[5] <queue>:delayed  KEYS[6] <queue>:marker
  ARGV[1] the number, or '' to remove it
  Returns 1 when it is in force at once, 0 when it will be after the resume.
]]
local meta, value = KEYS[1], ARGV[1]
local record = redis.call('HGET', meta, 'spillway.halt')
if record and redis.call('HGET', meta, 'concurrency') == '0' then
  local isReadable, halt = pcall(cjson.decode, record)
  if not isReadable or type(halt) ~= 'table' then halt = {} end
  halt.formerConcurrency = value ~= '' and tonumber(value) or cjson.null
  redis.call('HSET', meta, 'spillway.halt', cjson.encode(halt))
  return 0
end
if value == '' then
  redis.call('HDEL', meta, 'concurrency', 'spillway.halt')
else
  redis.call('HSET', meta, 'concurrency', value)
  redis.call('HDEL', meta, 'spillway.halt')
end
wakeWorkers(meta, KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6])
return 1
