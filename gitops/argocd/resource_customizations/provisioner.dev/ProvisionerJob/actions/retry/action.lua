-- Submits a new job with the spec of the ended one, as `kubectl provisioner jobs retry` does.

-- Empty tables are left out: they would become empty arrays, which the API server refuses in place of objects.
local function copy(value)
  if type(value) ~= "table" then
    return value
  end
  local result = nil
  for key, each in pairs(value) do
    local copied = copy(each)
    if copied ~= nil then
      result = result or {}
      result[key] = copied
    end
  end
  return result
end

local job = {
  apiVersion = obj.apiVersion,
  kind = obj.kind,
  metadata = {
    generateName = obj.metadata.name .. "-retry-",
    namespace = obj.metadata.namespace,
    annotations = {["provisioner.dev/retry-of"] = obj.metadata.name},
  },
  spec = copy(obj.spec),
}
-- Requests to the old job, and its submitter.
for _, field in ipairs({"cancel", "cancelReason", "cancelMode", "canceledBy", "suspend", "initiator"}) do
  job.spec[field] = nil
end
-- Where applications are tracked by this label, the new job would be pruned as one that git does not have.
if obj.metadata.labels ~= nil then
  obj.metadata.labels["app.kubernetes.io/instance"] = nil
  job.metadata.labels = copy(obj.metadata.labels)
end
return {{operation = "create", resource = job}}
