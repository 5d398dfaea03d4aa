"""What a policy does to outcomes, and the pages that tell it."""
