"""Repos as folders: the FUSE file system in its own process, the checkout where FUSE is missing."""
