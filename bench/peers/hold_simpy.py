"""The hold model in SimPy: python3 hold_simpy.py PENDING TICKS WARM_TICKS.

One line of JSON when ready, then one per line read: the CPU time that TICKS ticks took, and how many timers fired.
"""

import gc
import json
import resource
import sys

import simpy

ENTRIES = 65_536
TICKS_MAX = 1_000


def hold_delays():
    """The table that every contender uses."""
    state, delays = 1, []
    for _ in range(ENTRIES):
        state = (state * 1_664_525 + 1_013_904_223) % 2**32
        delays.append(1 + (state >> 8) % TICKS_MAX)
    return delays


class Hold:
    def __init__(self, pending):
        self.delays = hold_delays()
        self.draws = 0
        self.events = 0
        self.env = simpy.Environment()
        for _ in range(pending):
            self.env.process(self.device())

    def delay(self):
        self.draws = (self.draws + 1) & (ENTRIES - 1)
        return self.delays[self.draws]

    def device(self):
        while True:
            yield self.env.timeout(self.delay())
            self.events += 1

    def advance(self, ticks):
        before = self.events
        self.env.run(until=self.env.now + ticks)
        return self.events - before


def cpu_micros():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return round((usage.ru_utime + usage.ru_stime) * 1_000_000)


def main():
    pending, ticks, warm = (int(word) for word in sys.argv[1:4])
    hold = Hold(pending)
    hold.advance(warm)
    # A million live generators would be walked by every full collection: SimPy at its best.
    gc.collect()
    gc.freeze()
    print("{}", flush=True)
    for _ in sys.stdin:
        start = cpu_micros()
        events = hold.advance(ticks)
        print(json.dumps({"events": events, "cpuMicros": cpu_micros() - start}), flush=True)


main()
