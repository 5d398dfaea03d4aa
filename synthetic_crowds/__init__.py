"""Worlds whose truth is known: people, streets, cameras, pixels.

`crowd.make_crowd` is the way in.
"""
