"""What networks that learnt from real faces make of ours."""
