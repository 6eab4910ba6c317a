--[[
  Takes a batch of jobs, which are on disk by now, out of Redis: each only where it is still in that list or set, at the
  same score, with exactly the fields that were read, and with nothing beside it. All or nothing for each job, and in
  the same step a receipt that says which went: whoever crashes or hears no answer asks the receipt.
  A batch whose receipt is there already is not carried out again; one with the receipt 'void' never.
  KEYS[1] <queue>:spillway:parked (receipts)   KEYS[2] <queue>:wait, :paused, :prioritized or :delayed
  ARGV[1] <queue>:   ARGV[2] batch   ARGV[3] 'list' or 'zset'   ARGV[4] jobs at the old end to step over
  ARGV[5] jobs to search from there   ARGV[6] a text that is no job's id
  ARGV[7] number of field lists, then for each: how many fields, and these; then for each job: id, score, number of its
  field list, SHA-1 of lengths and values in that order.
  Returns the receipt: a code for each job, '1' gone by this batch, '0' left as it was.
]]
local receipts, key = KEYS[1], KEYS[2]
local base, batch, kind, tombstone = ARGV[1], 'p' .. ARGV[2], ARGV[3], ARGV[6]

local known = redis.call('HGET', receipts, batch)
if known then return known end

local shapes, at = {}, 8
for i = 1, tonumber(ARGV[7]) do
  local count = tonumber(ARGV[at])
  local fields = {}
  for j = 1, count do fields[j] = ARGV[at + j] end
  shapes[i] = fields
  at = at + 1 + count
end

-- Workers take from the old end and may have shifted the window, so the search begins a little before it.
local placeOf = {}
local function findPlaces()
  local from, size = tonumber(ARGV[4]), tonumber(ARGV[5])
  local low = math.max(0, from - size)
  local ids = redis.call('LRANGE', key, -(from + 2 * size), -(low + 1))
  for i, id in ipairs(ids) do placeOf[id] = i - #ids - low - 1 end
end
if kind == 'list' then findPlaces() end

local function isThere(id, score)
  if kind == 'list' then return placeOf[id] ~= nil end
  return redis.call('ZSCORE', key, id) == score
end

local function isUnchanged(jobKey, fields, digest)
  if redis.call('HLEN', jobKey) ~= #fields then return false end
  local values = redis.call('HMGET', jobKey, unpack(fields))
  local parts = {}
  for i = 1, #fields do
    if not values[i] then return false end
    parts[i] = #values[i] .. ':' .. values[i]
  end
  return redis.sha1hex(table.concat(parts)) == digest
end

local function hasBeside(jobKey)
  return redis.call('EXISTS', jobKey .. ':logs', jobKey .. ':dependencies', jobKey .. ':lock') > 0
end

local marks, gone = {}, 0
while at <= #ARGV do
  local id, score, fields, digest = ARGV[at], ARGV[at + 1], shapes[tonumber(ARGV[at + 2])], ARGV[at + 3]
  at = at + 4
  local jobKey = base .. id
  local goes = isThere(id, score) and not hasBeside(jobKey) and isUnchanged(jobKey, fields, digest)
  if goes then
    redis.call('DEL', jobKey)
    if kind == 'list' then
      redis.call('LSET', key, placeOf[id], tombstone)
      placeOf[id] = nil
    else
      redis.call('ZREM', key, id)
    end
    gone = gone + 1
  end
  marks[#marks + 1] = goes and '1' or '0'
end
-- One walk from the old end instead of one for each job.
if kind == 'list' and gone > 0 then redis.call('LREM', key, -gone, tombstone) end
local receipt = table.concat(marks)
redis.call('HSET', receipts, batch, receipt)
return receipt
