--[[
  Sets or removes a queue's global concurrency. On a queue that the console has paused it changes what the resume will
  restore, and the pause stays. A record of a pause that the application has overridden goes: it says nothing true.
  KEYS[1] <queue>:meta     KEYS[2] <queue>:active   KEYS[3] <queue>:wait   KEYS[4] <queue>:prioritized
  KEYS[5] <queue>:delayed  KEYS[6] <queue>:marker
  ARGV[1] the number, or '' to remove it
  Returns 1 when it is in force at once, 0 when it will be after the resume.
]]
local meta, value = KEYS[1], ARGV[1]
local record = redis.call('HGET', meta, 'spillway.pause')
if record and redis.call('HGET', meta, 'concurrency') == '0' then
  local isReadable, pause = pcall(cjson.decode, record)
  if not isReadable or type(pause) ~= 'table' then pause = {} end
  pause.formerConcurrency = value ~= '' and tonumber(value) or cjson.null
  redis.call('HSET', meta, 'spillway.pause', cjson.encode(pause))
  return 0
end
if value == '' then
  redis.call('HDEL', meta, 'concurrency', 'spillway.pause')
else
  redis.call('HSET', meta, 'concurrency', value)
  redis.call('HDEL', meta, 'spillway.pause')
end
wakeWorkers(meta, KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6])
return 1
