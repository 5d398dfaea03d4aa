"""What outlives the process: database, audit log, and what is in them."""
