if obj.spec.running == false then
  obj.spec.running = true
else
  -- It was stopped by spec.autostopSeconds, and is built again.
  obj.spec.rebuildGeneration = (obj.spec.rebuildGeneration or 0) + 1
end
return obj
