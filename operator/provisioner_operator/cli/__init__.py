"""`kubectl provisioner`: what admins ask and do, with the API server alone and the user's own rights.

Knows nothing of the controller and the daemon as programs; the queue, the match and the explanations are the core's.
"""
