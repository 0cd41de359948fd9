local phase = "Pending"
if obj.status ~= nil and obj.status.phase ~= nil then
  phase = obj.status.phase
end
local pending = phase == "Pending"
local ended = phase == "Completed" or phase == "Failed" or phase == "Canceled"
local canceled = obj.spec.cancel == true
local suspended = obj.spec.suspend == true

-- The job of a workspace or a template is repeated by these.
local workspace, template = obj.spec.workspaceRef, obj.spec.templateRef
local managed = obj.spec.type ~= "WorkspacePlan"
  and ((workspace ~= nil and workspace.uid ~= nil) or (template ~= nil and template.uid ~= nil))

return {
  ["cancel"] = {disabled = ended or canceled, iconClass = "fa fa-fw fa-ban"},
  ["force-cancel"] = {disabled = ended or (canceled and obj.spec.cancelMode == "Force"), iconClass = "fa fa-fw fa-bolt"},
  ["suspend"] = {disabled = not pending or suspended, iconClass = "fa fa-fw fa-pause"},
  ["resume"] = {disabled = not pending or not suspended, iconClass = "fa fa-fw fa-play"},
  ["retry"] = {disabled = not ended or managed, iconClass = "fa fa-fw fa-redo"},
}
