local running = obj.spec.running ~= false
local deleting = obj.metadata.deletionTimestamp ~= nil
local latest = nil
if obj.status ~= nil then
  latest = obj.status.latestBuild
end
local autostopped = running and latest ~= nil and latest.transition == "Stop"

return {
  ["start"] = {disabled = deleting or (running and not autostopped), iconClass = "fa fa-fw fa-play"},
  ["stop"] = {disabled = deleting or not running, iconClass = "fa fa-fw fa-stop"},
  ["rebuild"] = {disabled = not deleting and not running and latest == nil, iconClass = "fa fa-fw fa-redo"},
}
