"""Makes the reference weights that `matcher` ships, on synthetic people only.

Owns networks, training data, training, export, calibration and evaluation. Needs
PyTorch (extra `training`); nothing else in the project imports this package.
"""
