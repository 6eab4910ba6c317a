--[[
  Defines typeOfJob(jobKey): the job type of the job that lies at this key, as jobTypeOf of agent/job-type-of.ts makes it
  of its name; '' where it has none. Put before scripts that look at types. A name of megabytes is not copied.
]]
local function typeOfJob(jobKey)
  local size = redis.pcall('HSTRLEN', jobKey, 'name')
  if type(size) ~= 'number' or size == 0 then return '' end
  if size > 16384 then return string.format('(name of %.0f bytes)', size) end
  local name = redis.call('HGET', jobKey, 'name')
  if size <= 200 then return name end
  local last = 180
  local function isWithinCharacter(at)
    local byte = string.byte(name, at)
    return byte >= 0x80 and byte < 0xC0
  end
  while last > 0 and isWithinCharacter(last + 1) do last = last - 1 end
  return string.sub(name, 1, last) .. '\226\128\166' .. string.sub(redis.sha1hex(name), 1, 8)
end
