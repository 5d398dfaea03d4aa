"""What an index over many templates costs and loses."""
