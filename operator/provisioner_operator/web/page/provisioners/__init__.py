"""The page of provisioner daemons, and the forms that cordon and drain them."""
