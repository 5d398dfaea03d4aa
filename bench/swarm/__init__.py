"""Load by Locust: its master and workers follow a plan; Locust itself stays in them."""
