-- Never Degraded: daemons come and go with their Pods, and a pool replaces those that fail.
local state = "Offline"
if obj.status ~= nil and obj.status.state ~= nil then
  state = obj.status.state
end
if state == "Idle" or state == "Busy" then
  return {status = "Healthy", message = "The daemon is " .. state .. "."}
end
return {status = "Progressing", message = "The daemon is " .. state .. "."}
