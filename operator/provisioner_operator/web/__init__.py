"""The web server: a REST API in Coder's shapes, and the page on which admins find, understand and cancel jobs.

Reads come from an index that watches keep up to date, gated by the user's own access reviews; writes and logs go to the
API server with the user's own token. The server's account may only get, list and watch.
"""
