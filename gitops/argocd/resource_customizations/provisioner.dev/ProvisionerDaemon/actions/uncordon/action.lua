obj.spec.cordoned = false
return obj
