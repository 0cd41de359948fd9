return {
  ["reimport"] = {disabled = obj.metadata.deletionTimestamp ~= nil, iconClass = "fa fa-fw fa-sync"},
}
