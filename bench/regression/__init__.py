"""Is this run, build or setting better or worse than that one?"""
