if not obj.spec.cancel then
  obj.spec.cancel = true
  obj.spec.cancelReason = "Canceled in Argo CD."
end
obj.spec.cancelMode = "Force"
return obj
