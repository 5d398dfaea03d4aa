"""The matcher as an HTTP service.

One idea a room: `wire` says what travels, `app` and the `routes_*` modules what is
answered, `lanes` where the work is done, `admission` what is let in, `store` what
outlives the process, `audit` what can be proved afterwards. `docs/service.md` is the
contract.
"""
