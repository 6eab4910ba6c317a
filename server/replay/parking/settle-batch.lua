--[[
  What became of a batch that nobody heard the end of. Where it left no receipt it was not carried out, and from now on
  never will be, even if its command still lies in some buffer.
  KEYS[1] <queue>:spillway:parked   ARGV[1] 'p' or 'r' and the batch
  Returns its receipt, or 'void'.
]]
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known then return known end
redis.call('HSET', KEYS[1], ARGV[1], 'void')
return 'void'
