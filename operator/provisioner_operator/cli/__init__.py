"""`kubectl provisioner`: questions and actions of admins, with nothing but the API server and the user's own permissions.

Does not import the controller or the daemon; queue order, matching and explanations are the core's.
"""
