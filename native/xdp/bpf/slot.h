/* SPDX-License-Identifier: MIT */
/*
 * The word in which a device's slot is kept, as native/dam/src/slot_word.rs: 2 bits of state, a wrapping 30-bit tick of
 * 2^22 ns, and the 32 bits of the last attempt (epoch, session).
 */
#ifndef KLAIS_SLOT_H
#define KLAIS_SLOT_H

#include "klais.h"

#define KLAIS_TICK_SHIFT 22
#define KLAIS_TICK_NANOS (1ULL << KLAIS_TICK_SHIFT)
#define KLAIS_TICK_MASK ((1U << 30) - 1)
/* How early a device may come back. */
#define KLAIS_EARLY_NANOS (2 * KLAIS_TICK_NANOS)

enum klais_slot_state {
	KLAIS_SLOT_NOTHING = 0,
	KLAIS_SLOT_SESSION = 1,
	KLAIS_SLOT_BACKFILL = 2,
	KLAIS_SLOT_SPENT = 3,
};

static __always_inline __u32 klais_slot_state(__u64 word)
{
	return word >> 62;
}

static __always_inline __u32 klais_slot_tick(__u64 word)
{
	return word >> 32 & KLAIS_TICK_MASK;
}

static __always_inline __u64 klais_slot_word(__u64 state, __u32 tick, __u32 attempt)
{
	return state << 62 | (__u64)(tick & KLAIS_TICK_MASK) << 32 | attempt;
}

/* 0 the same, below 0x8000 newer, from there on older: serial numbers (RFC 1982), the epoch first. */
static __always_inline __u32 klais_attempt_ahead(__u32 attempt, __u32 than)
{
	__u32 epochs = ((attempt >> 16) - (than >> 16)) & 0xffff;

	return epochs ? epochs : (attempt - than) & 0xffff;
}

/* The tick of a time, rounded up. */
static __always_inline __u32 klais_tick_at(__u64 nanos)
{
	__u64 up = (nanos & (KLAIS_TICK_NANOS - 1)) != 0;

	return ((nanos >> KLAIS_TICK_SHIFT) + up) & KLAIS_TICK_MASK;
}

/* tick - other, within half a turn either way. */
static __always_inline __s64 klais_ticks_between(__u32 tick, __u32 other)
{
	return (__s32)((tick - other) << 2) >> 2;
}

/* Nanoseconds from `now` to a tick, negative when it is past. */
static __always_inline __s64 klais_nanos_until(__u32 tick, __u64 now)
{
	__s64 ticks = klais_ticks_between(tick, (__u32)(now >> KLAIS_TICK_SHIFT));

	return ticks * (__s64)KLAIS_TICK_NANOS - (__s64)(now & (KLAIS_TICK_NANOS - 1));
}

#endif
