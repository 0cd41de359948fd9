obj.spec.importGeneration = (obj.spec.importGeneration or 0) + 1
return obj
