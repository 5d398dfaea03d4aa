"""How a policy's result is told: charts, pages, tables, and a pack for auditors.

Owns words and pictures of the policy report. Knows nothing of how the result came
about.
"""
