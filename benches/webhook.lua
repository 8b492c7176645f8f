-- One event a request for wrk, each with another digest, so that each changes a row.
-- IMAGE=0 leaves the image out: the server does all but store it.
local thread_count, thread, count = 0, 0, 0

function setup(t)
  t:set("thread", thread_count)
  thread_count = thread_count + 1
end

function request()
  count = count + 1
  local image = string.format('"image":"ghcr.io/acme/service-%d:1",', count % 1000)
  if os.getenv("IMAGE") == "0" then image = "" end
  local body = string.format(
    '{"diun_version":"4.33.0","hostname":"edge-%d","status":"update","provider":"docker",%s'
      .. '"hub_link":"","mime_type":"application/vnd.docker.distribution.manifest.list.v2+json",'
      .. '"digest":"sha256:%016x%016x%032x","created":"2026-11-23T21:45:52.442751Z",'
      .. '"platform":"linux/amd64","metadata":{"ctn_command":"/bin/api --serve",'
      .. '"ctn_createdat":"2023-11-14 22:13:23 +0000 UTC","ctn_names":"service","ctn_state":"running"}}',
    thread, image, thread, count, os.time())
  return wrk.format("POST", "/webhook", nil, body)
end
