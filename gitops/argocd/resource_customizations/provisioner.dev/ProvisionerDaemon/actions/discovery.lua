local cordoned = obj.spec.cordoned == true

return {
  ["cordon"] = {disabled = cordoned, iconClass = "fa fa-fw fa-pause"},
  ["uncordon"] = {disabled = not cordoned, iconClass = "fa fa-fw fa-play"},
}
