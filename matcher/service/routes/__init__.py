"""HTTP routes: requests turned into calls of the desks, and answers."""
