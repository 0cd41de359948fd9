module provisioner-operator/probe

go 1.26.0
