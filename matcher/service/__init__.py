"""The matcher as an HTTP service.

One idea a room: `wire` says what travels, `gate` what is let in, `routes` how requests
become calls of the `desks`, `lanes` where the work is done, `keeping` what outlives the
process and what can be proved afterwards. `service.py` puts them together, `server.py`
listens. `docs/service.md` is the contract.
"""
