obj.spec.running = false
return obj
