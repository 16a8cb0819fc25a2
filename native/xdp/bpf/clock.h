/* SPDX-License-Identifier: MIT */
/* Virtual time: (CLOCK_MONOTONIC - origin) * scale, held at both ends. */
#ifndef KLAIS_CLOCK_H
#define KLAIS_CLOCK_H

#include "gcra.h"
#include "maps.h"

/*
 * The coarse clock is a tick (1/HZ) behind at most, and half the price of the exact one. It never goes back, and a
 * bucket that reads it late grants late, never more.
 */
static __always_inline __u64 klais_now(void)
{
	__u64 monotonic, origin, elapsed;

	if (klais_options.test)
		return klais_test.now_nanos;
	monotonic = bpf_ktime_get_coarse_ns();
	origin = klais_config.origin_nanos;
	elapsed = monotonic > origin ? monotonic - origin : 0;
	if (elapsed > klais_config.elapsed_nanos_max)
		return KLAIS_U64_MAX;
	return elapsed * klais_config.scale;
}

#endif
