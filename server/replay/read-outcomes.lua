--[[
  What has come of jobs that a batch of a replay has moved. Changes nothing.
  KEYS[1] <queue>:failed   KEYS[2] <queue>:completed
  ARGV[1] <queue>: (start of the job keys)   ARGV[2] the batch's mark, empty: its jobs carry none   ARGV[3…] ids
  Returns a code for each job: s succeeded, f failed again, m still to run or running, g ended or removed and kept
  nowhere, b it came back: Redis has lost that it was moved.
]]
local characters = {}
for i = 3, #ARGV do
  local id = ARGV[i]
  local mark = redis.pcall('HGET', ARGV[1] .. id, 'spillway.replay')
  local code = 'm'
  if ARGV[2] ~= '' and type(mark) ~= 'string' then
    local isThere = redis.call('EXISTS', ARGV[1] .. id) == 1
    -- A job of the same id that was added anew carries no mark either, and is in no set of finished ones with an old end.
    code = (isThere and redis.call('ZSCORE', KEYS[1], id)) and 'b' or 'g'
  elseif ARGV[2] ~= '' and mark ~= ARGV[2] then
    code = 'b'
  elseif redis.call('ZSCORE', KEYS[2], id) then
    code = 's'
  elseif redis.call('ZSCORE', KEYS[1], id) then
    code = 'f'
  elseif ARGV[2] == '' and redis.call('EXISTS', ARGV[1] .. id) == 0 then
    code = 'g'
  end
  characters[#characters + 1] = code
end
return table.concat(characters)
