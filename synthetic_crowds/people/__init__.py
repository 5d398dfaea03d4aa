"""Who they are and how they look today: identities, habits, clothes."""
