-- An ended job is judged by its end alone: a change of its time to live does not make it progress again.
local health = {status = "Progressing", message = "The controller has not observed this job yet."}
if obj.status == nil or obj.status.conditions == nil then
  return health
end
for _, condition in ipairs(obj.status.conditions) do
  local message = condition.message or ""
  if condition.type == "Stalled" and condition.status == "True" then
    return {status = "Degraded", message = condition.reason .. ": " .. message}
  end
  if condition.type == "Ready" then
    health.message = message
    if condition.status == "True" then
      health.status = "Healthy"
    elseif obj.status.phase == "Pending" and obj.spec.suspend then
      health.status = "Suspended"
    end
  end
end
return health
