obj.spec.rebuildGeneration = (obj.spec.rebuildGeneration or 0) + 1
return obj
