"""What a policy does to people and to workload: a deployment, a programme of many.

Owns the model, its calibration on the published record, and the arithmetic of its
results. Knows nothing of files, of pixels, or of how a report looks.
"""
