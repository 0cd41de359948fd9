obj.spec.cancel = true
obj.spec.cancelReason = "Canceled in Argo CD."
return obj
