local health = {status = "Progressing", message = "The controller has not observed this queue yet."}
if obj.status == nil or obj.status.conditions == nil then
  return health
end
local observed = obj.status.observedGeneration
if observed ~= nil and observed ~= obj.metadata.generation then
  health.message = "The controller has not observed the latest change of this queue yet."
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
    end
  end
end
return health
