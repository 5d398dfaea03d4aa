"""People in front of a lens: one frame of a street, one portrait."""
