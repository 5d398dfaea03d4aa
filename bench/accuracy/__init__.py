"""Who passed, who was recognised, who was mistaken, and whether groups differ."""
