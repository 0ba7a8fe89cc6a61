-- As many addresses of posts as are named behind `--`, over and over, in no order.
local addresses = 1
math.randomseed(7)

init = function(args)
  addresses = tonumber(args[1])
end

request = function()
  local number = math.random(0, addresses - 1)
  return wrk.format("GET", "/posts/post-" .. (number % 10) .. "-" .. (1 + math.floor(number / 10)))
end
