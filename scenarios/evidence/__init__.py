"""The published deployment record and the facts that the policy model rests on.

Owns the files of facts, their validation and their known misprints. Knows nothing of
what a model makes of them.
"""
