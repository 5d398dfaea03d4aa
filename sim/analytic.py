"""Queues that theory can solve, to hold simulations against.

Owns closed formulas of one station: waiting, loss and utilisation. Knows nothing of
simulation. Rates are per second, times seconds; `a = arrival_rate_hz *
service_time_s` is the offered load in servers, `rho = a / n_servers` the utilisation.

Source:
    D. Gross, J. F. Shortle, J. M. Thompson and C. M. Harris, Fundamentals of Queueing
    Theory, 4th ed. (2008): chapters 2 (M/M/c, M/M/c/K), 5 (M/G/1, M/D/c).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = [
    "Queue",
    "UnstableQueueError",
    "erlang_a",
    "erlang_b",
    "erlang_c",
    "littles_number",
    "md1_quantile",
    "mdc",
    "mg1",
    "mmc",
    "mmck",
]

_NEGLIGIBLE = 1e-15


class UnstableQueueError(ValueError):
    """A queue without limit whose work comes faster than it is done."""

    def __init__(self, *, utilisation: float) -> None:
        self.utilisation = utilisation
        super().__init__(
            f"utilisation must be below 1 for a queue to settle, got {utilisation:g}; "
            "add servers or limit the queue"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What theory says of one station.

    Attributes:
        waiting_time_s: Mean time in the queue of those who are served.
        utilisation: Share of the servers' time at work.
        loss: Share of arrivals that are refused or give up.
        waits: Chance that an arrival who is let in has to wait.
    """

    waiting_time_s: float
    utilisation: float
    loss: float
    waits: float


def littles_number(arrival_rate_hz: float, sojourn_time_s: float) -> float:
    """Return the mean number present, L = lambda W.

    Source:
        J. D. C. Little, A proof for the queuing formula L = lambda W, Operations
        Research 9 (1961).
    """
    return arrival_rate_hz * sojourn_time_s


def erlang_b(n_servers: int, offered: float) -> float:
    """Return the share of arrivals lost by M/G/c/c, Erlang's first formula.

    Args:
        n_servers: c, 1 or more.
        offered: a, arrival rate times mean service time.

    Source:
        A. K. Erlang (1917); by the stable recursion of Gross et al., equation 2.53.
    """
    blocked = 1.0
    for servers in range(1, n_servers + 1):
        blocked = offered * blocked / (servers + offered * blocked)
    return blocked


def erlang_c(n_servers: int, offered: float) -> float:
    """Return the chance that an arrival at M/M/c has to wait, Erlang's second formula.

    Raises:
        UnstableQueueError: If the load is that of all servers or more.

    Source:
        Gross et al., equation 2.35, by way of Erlang B.
    """
    _require_stable(offered / n_servers)
    blocked = erlang_b(n_servers, offered)
    return n_servers * blocked / (n_servers - offered * (1.0 - blocked))


def mmc(arrival_rate_hz: float, service_time_s: float, n_servers: int) -> Queue:
    """Solve M/M/c.

    Source:
        Gross et al., equation 2.34: W_q = C / (c mu - lambda).
    """
    offered = arrival_rate_hz * service_time_s
    waits = erlang_c(n_servers, offered)
    spare_hz = n_servers / service_time_s - arrival_rate_hz
    return Queue(
        waiting_time_s=waits / spare_hz,
        utilisation=offered / n_servers,
        loss=0.0,
        waits=waits,
    )


def mmck(
    arrival_rate_hz: float, service_time_s: float, n_servers: int, capacity: int
) -> Queue:
    """Solve M/M/c/K, where K counts those in service too.

    Args:
        arrival_rate_hz: Any: what does not fit is lost.
        service_time_s: Mean.
        n_servers: c.
        capacity: K, c or more.

    Source:
        Gross et al., section 2.5: birth and death with truncated states.
    """
    offered = arrival_rate_hz * service_time_s
    weights = [1.0]
    for present in range(1, capacity + 1):
        weights.append(weights[-1] * offered / min(present, n_servers))
    total = math.fsum(weights)
    chances = [weight / total for weight in weights]
    loss = chances[capacity]
    waiting = math.fsum(
        (present - n_servers) * chances[present]
        for present in range(n_servers, capacity + 1)
    )
    let_in_hz = arrival_rate_hz * (1.0 - loss)
    busy = math.fsum(chances[n_servers:capacity])
    return Queue(
        waiting_time_s=waiting / let_in_hz,
        utilisation=offered * (1.0 - loss) / n_servers,
        loss=loss,
        waits=busy / (1.0 - loss),
    )


def mg1(
    arrival_rate_hz: float, service_time_s: float, service_variance_s2: float
) -> Queue:
    """Solve M/G/1.

    Source:
        F. Pollaczek and A. Khinchine; Gross et al., equation 5.11.
    """
    utilisation = arrival_rate_hz * service_time_s
    _require_stable(utilisation)
    second_moment = service_variance_s2 + service_time_s**2
    waiting_s = arrival_rate_hz * second_moment / (2.0 * (1.0 - utilisation))
    return Queue(
        waiting_time_s=waiting_s, utilisation=utilisation, loss=0.0, waits=utilisation
    )


def mdc(arrival_rate_hz: float, service_time_s: float, n_servers: int) -> Queue:
    """Solve M/D/c.

    Source:
        C. D. Crommelin, Delay probability formulae when the holding times are
        constant, Post Office Electrical Engineers' Journal 25 (1932); the mean wait
        as the series in G. J. Franx, A simple solution for the M/D/c waiting time
        distribution, Operations Research Letters 29 (2001), section 3.
    """
    offered = arrival_rate_hz * service_time_s
    utilisation = offered / n_servers
    _require_stable(utilisation)
    # The number waiting changes in one service time as a random walk whose steps are
    # Poisson less c; Spitzer's identity sums its mean.
    waiting, batch = 0.0, 0
    while True:
        batch += 1
        term = _mean_beyond(batch * offered, batch * n_servers) / batch
        waiting += term
        if term < _NEGLIGIBLE * max(waiting, 1.0) or batch > 100_000:
            break
    return Queue(
        waiting_time_s=waiting / arrival_rate_hz,
        utilisation=utilisation,
        loss=0.0,
        waits=math.nan,
    )


def _mean_beyond(mean: float, level: int) -> float:
    """E max(Poisson(mean) - level, 0)."""
    log_p = -mean + level * math.log(mean) - math.lgamma(level + 1)
    total, beyond = 0.0, 0
    while True:
        beyond += 1
        log_p += math.log(mean / (level + beyond))
        term = beyond * math.exp(log_p)
        total += term
        if term < _NEGLIGIBLE * max(total, 1e-300) and level + beyond > mean:
            return total


def md1_quantile(arrival_rate_hz: float, service_time_s: float, time_s: float) -> float:
    """Return the share of M/D/1's arrivals who wait no longer than `time_s`.

    Source:
        A. K. Erlang (1909); Gross et al., section 5.2.
    """
    rho = arrival_rate_hz * service_time_s
    _require_stable(rho)
    total = 0.0
    for k in range(int(time_s / service_time_s) + 1):
        x = arrival_rate_hz * (k * service_time_s - time_s)
        total += (x**k if k else 1.0) / math.factorial(k) * math.exp(-x)
    return (1.0 - rho) * total


def erlang_a(
    arrival_rate_hz: float, service_time_s: float, n_servers: int, patience_s: float
) -> Queue:
    """Solve M/M/c+M: those who wait give up after an exponential patience.

    Returns:
        The queue; `waiting_time_s` is over all arrivals, served or not.

    Source:
        C. Palm (1957); A. Mandelbaum and S. Zeltyn, Service engineering in action:
        the Palm/Erlang-A queue (2007), section 3. By birth and death.
    """
    mu_hz, theta_hz = 1.0 / service_time_s, 1.0 / patience_s
    chances, present, weight = [1.0], 0, 1.0
    while weight > _NEGLIGIBLE * max(chances) or present < n_servers:
        present += 1
        served_hz = min(present, n_servers) * mu_hz
        given_up_hz = max(present - n_servers, 0) * theta_hz
        weight *= arrival_rate_hz / (served_hz + given_up_hz)
        chances.append(weight)
    total = math.fsum(chances)
    chances = [chance / total for chance in chances]
    waiting = math.fsum(
        (k - n_servers) * chance for k, chance in enumerate(chances) if k > n_servers
    )
    busy = math.fsum(min(k, n_servers) * chance for k, chance in enumerate(chances))
    return Queue(
        waiting_time_s=waiting / arrival_rate_hz,
        utilisation=busy / n_servers,
        loss=waiting * theta_hz / arrival_rate_hz,
        waits=math.fsum(chances[n_servers:]),
    )


def _require_stable(utilisation: float) -> None:
    if not utilisation < 1.0:
        raise UnstableQueueError(utilisation=utilisation)
