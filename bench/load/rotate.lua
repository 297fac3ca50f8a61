-- wrk script: asks for the paths of a file one after another, so that no single answer is measured.
-- Arguments: the file with one path per line, the Accept header, and the Authorization or nothing.
local requests = {}
local position = 0

function init(args)
  wrk.headers["Accept"] = args[2]
  if args[3] ~= "" then wrk.headers["Authorization"] = args[3] end
  for path in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", path)
  end
end

function request()
  position = position % #requests + 1
  return requests[position]
end
