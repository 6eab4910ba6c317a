--[[
  What a filter looks at of finished jobs, without their long fields. Changes nothing.
  KEYS[1] <queue>:meta (names the slot)   ARGV[1] <queue>: (start of the job keys)
  ARGV[2] 1: the start of the error too   ARGV[3] bytes of data at most, 0: none
  ARGV[4] bytes read after which it ends early   ARGV[5…] ids
  Returns for each job {type (job-type.lua), error, attempts, data}; empty texts for what is not there, not asked for or too long. At
  least one, and fewer than asked for where they are long.
]]
local base, wantsError, mostData, bytesLeft = ARGV[1], ARGV[2] == '1', tonumber(ARGV[3]), tonumber(ARGV[4])
-- 500 characters of up to 4 bytes.
local MAX_ERROR_BYTES = 2000
local found = {}
for i = 5, #ARGV do
  local key = base .. ARGV[i]
  local facts = redis.pcall('HMGET', key, 'atm', 'attemptsMade')
  if facts.err then facts = {} end
  local reason, data = '', ''
  if wantsError then
    local text = redis.pcall('HGET', key, 'failedReason')
    if type(text) == 'string' then
      reason = string.sub(text, 1, MAX_ERROR_BYTES)
      bytesLeft = bytesLeft - #text
    end
  end
  if mostData > 0 then
    local size = redis.pcall('HSTRLEN', key, 'data')
    if type(size) == 'number' and size > 0 and size <= mostData then data = redis.call('HGET', key, 'data') end
  end
  local jobType = typeOfJob(key)
  found[#found + 1] = { jobType, reason, facts[1] or facts[2] or '0', data }
  bytesLeft = bytesLeft - #data - #jobType
  if bytesLeft <= 0 then break end
end
return found
