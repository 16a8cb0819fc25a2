/* SPDX-License-Identifier: MIT */
/* The decision, as native/dam/src/gcra.rs and emission.rs: the generic cell rate algorithm over 64-bit integers. */
#ifndef KLAIS_GCRA_H
#define KLAIS_GCRA_H

#include "klais.h"

/* Units of 2^-9 ns: native/dam's Shift::DAM. */
#define KLAIS_SHIFT 9
#define KLAIS_U64_MAX (~0ULL)

/* Burst in bits 63..32, exponent in 31..26, mantissa in 25..0; this one stands for a layer that is off. */
#define KLAIS_EMISSION_OFF (0xffffffffULL << 32)

/* A limit, unpacked. */
struct klais_pace {
	/* Units between two events; 0 if the layer is off. */
	__u64 interval;
	/* Burst x interval. */
	__u64 span;
	__u32 burst;
};

/* What a bucket is asked for; work 0 asks nothing. */
struct klais_ask {
	__u64 work;
	__u64 tolerance;
};

/* A change made, or to be made, to a bucket. Equal words for none. */
struct klais_charge {
	__u64 before;
	__u64 after;
};

enum klais_refusal {
	KLAIS_GRANTED = 0,
	KLAIS_REFUSED_RATE,
	KLAIS_REFUSED_CONTENDED,
};

/* Nanoseconds in units, held at the end of the reach. */
static __always_inline __u64 klais_units(__u64 nanos)
{
	const __u64 reach = KLAIS_U64_MAX >> KLAIS_SHIFT;

	return (nanos < reach ? nanos : reach) << KLAIS_SHIFT;
}

/* Units in nanoseconds, rounded up. */
static __always_inline __u64 klais_nanos(__u64 units)
{
	return (units >> KLAIS_SHIFT) + ((units & ((1 << KLAIS_SHIFT) - 1)) != 0);
}

static __always_inline struct klais_pace klais_pace(__u64 emission)
{
	struct klais_pace pace;

	pace.burst = emission >> 32;
	pace.interval = (emission & 0x3ffffff) << (emission >> 26 & 63);
	pace.span = pace.interval * pace.burst;
	return pace;
}

/* False for a cost of 0 or above the burst. */
static __always_inline bool klais_ask(const struct klais_pace *pace, __u32 cost, struct klais_ask *ask)
{
	if (cost == 0 || cost > pace->burst)
		return false;
	ask->work = pace->interval * cost;
	ask->tolerance = pace->interval * (__u64)(pace->burst - cost);
	return true;
}

static __always_inline __u64 klais_load(const __u64 *word)
{
	return *(const volatile __u64 *)word;
}

/* The rule: the bucket's next word, or a refusal. */
static __always_inline int klais_look_at(__u64 tat, __u64 now, const struct klais_ask *ask,
					 struct klais_charge *charge)
{
	__u64 base = tat > now ? tat : now;
	__u64 after = base + ask->work;

	/* A sum past the end of time is refused: a bucket held at the end would pass for ever. */
	if (base - now > ask->tolerance || after < base)
		return KLAIS_REFUSED_RATE;
	charge->before = tat;
	charge->after = after;
	return KLAIS_GRANTED;
}

/* What a commit would do now; changes nothing. */
static __always_inline int klais_look(const __u64 *bucket, __u64 now, const struct klais_ask *ask,
				      struct klais_charge *charge)
{
	charge->before = 0;
	charge->after = 0;
	return ask->work == 0 ? KLAIS_GRANTED : klais_look_at(klais_load(bucket), now, ask, charge);
}

/* A commit that another CPU came before. */
struct klais_race {
	__u64 now;
	/* What the bucket was found to be. */
	__u64 seen;
	struct klais_ask ask;
	struct klais_charge charge;
};

/*
 * Decides afresh until the bucket holds still. A function of its own, not static: the verifier walks its loop once, and
 * not again from every place that comes here.
 */
__attribute__((noinline)) int klais_retry(__u64 *bucket, struct klais_race *race)
{
	__u64 seen;
	int tries;

	if (!bucket || !race)
		return KLAIS_REFUSED_CONTENDED;
	seen = race->seen;
#pragma clang loop unroll(disable)
	for (tries = 0; tries < KLAIS_RETRIES_MAX; tries++) {
		if (klais_look_at(seen, race->now, &race->ask, &race->charge) != KLAIS_GRANTED)
			return KLAIS_REFUSED_RATE;
		seen = __sync_val_compare_and_swap(bucket, race->charge.before, race->charge.after);
		if (seen == race->charge.before)
			return KLAIS_GRANTED;
	}
	return KLAIS_REFUSED_CONTENDED;
}

/* Charges what was looked at; where another CPU came first, decides afresh. A refusal has changed nothing. */
static __always_inline int klais_commit(__u64 *bucket, __u64 now, const struct klais_ask *ask,
					struct klais_charge *charge)
{
	struct klais_race race;
	__u64 seen;
	int refused;

	if (ask->work == 0)
		return KLAIS_GRANTED;
	seen = __sync_val_compare_and_swap(bucket, charge->before, charge->after);
	if (seen == charge->before)
		return KLAIS_GRANTED;
	race = (struct klais_race){ now, seen, *ask, *charge };
	refused = klais_retry(bucket, &race);
	*charge = race.charge;
	return refused;
}

/* Looks and commits. */
static __always_inline int klais_charge(__u64 *bucket, __u64 now, const struct klais_ask *ask,
					struct klais_charge *charge)
{
	int refused = klais_look(bucket, now, ask, charge);

	return refused ? refused : klais_commit(bucket, now, ask, charge);
}

/* Takes a charge back, if nobody has charged the bucket since. Never hands out time that was not there. */
static __always_inline void klais_refund(__u64 *bucket, const struct klais_charge *charge)
{
	if (charge->before != charge->after)
		__sync_val_compare_and_swap(bucket, charge->after, charge->before);
}

#endif
