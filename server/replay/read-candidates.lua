--[[
  What a filter looks at of finished jobs, without their long fields. Changes nothing.
  KEYS[1] <queue>:meta (names the slot)   ARGV[1] <queue>: (start of the job keys)
  ARGV[2] 1: the start of the error too, 2: and the options   ARGV[3] bytes of data at most, 0: none
  ARGV[4] bytes read after which it ends early   ARGV[5…] ids
  Returns for each job {type (job-type.lua), error, attempts, data, options}; empty texts for what is not there, not asked for or too long. At
  least one, and fewer than asked for where they are long.
]]
local base, wantsError, wantsOpts, mostData, bytesLeft = ARGV[1], ARGV[2] ~= '0', ARGV[2] == '2', tonumber(ARGV[3]), tonumber(ARGV[4])
-- 500 characters of up to 4 bytes.
local MAX_ERROR_BYTES = 2000
local found = {}
local function short(key, field)
  local size = redis.pcall('HSTRLEN', key, field)
  return type(size) == 'number' and size > 0 and size <= mostData and redis.call('HGET', key, field) or ''
end
for i = 5, #ARGV do
  local key = base .. ARGV[i]
  local facts = redis.pcall('HMGET', key, 'atm', 'attemptsMade')
  if facts.err then facts = {} end
  local reason, data, opts = '', '', ''
  if wantsError then
    local text = redis.pcall('HGET', key, 'failedReason')
    if type(text) == 'string' then
      reason = string.sub(text, 1, MAX_ERROR_BYTES)
      bytesLeft = bytesLeft - #text
    end
  end
  if mostData > 0 then data = short(key, 'data') end
  if wantsOpts then opts = short(key, 'opts') end
  local jobType = typeOfJob(key)
  found[#found + 1] = { jobType, reason, facts[1] or facts[2] or '0', data, opts }
  bytesLeft = bytesLeft - #data - #opts - #jobType
  if bytesLeft <= 0 then break end
end
return found
