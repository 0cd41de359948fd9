"""REST API in the shapes of Coder's, under `/api/v2`: its clients can list, follow and cancel jobs, and build workspaces."""
