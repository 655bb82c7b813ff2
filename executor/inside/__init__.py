"""All that runs inside the sandbox, in the user's own interpreter: the standard library and torch, nothing else.

It is started by path and calls itself `lesion_inside`, so that no name of the user's project can collide with it.
"""
