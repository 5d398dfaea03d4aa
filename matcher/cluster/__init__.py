"""A matcher in pieces that live where there is room for them: on a Ray cluster.

Ray is an extra. Modules of this package import it when they are used, not before; who
uses them has joined a cluster. Placement, supervision and retries are Ray's.
"""
