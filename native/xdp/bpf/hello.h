/* SPDX-License-Identifier: MIT */
/* The answer to an authenticated HELLO of a known device, as native/dam/src/slots.rs. */
#ifndef KLAIS_HELLO_H
#define KLAIS_HELLO_H

#include "clock.h"
#include "gcra.h"
#include "keys.h"
#include "slot.h"

/* What the dam wants to know of a HELLO. */
struct klais_hello {
	__u32 device;
	/* epoch << 16 | session. */
	__u32 attempt;
	__u64 cookie_mac;
	__u32 cookie_slot;
	bool has_cookie;
};

/* A promise: when, from now, and the tick that its cookie names. */
struct klais_promise {
	__u64 delay_nanos;
	__u32 tick;
	__u32 reserved;
};

enum klais_standing {
	KLAIS_EARLY,
	KLAIS_DUE,
	/* Missed, or so far off that it can only be a relic. */
	KLAIS_OVER,
};

static __always_inline enum klais_standing klais_standing(__u32 tick, __u64 now, __u64 *delay_nanos)
{
	__s64 until = klais_nanos_until(tick, now);

	*delay_nanos = 0;
	if (until <= 0)
		return (__u64)-until <= klais_config.session_window_nanos ? KLAIS_DUE : KLAIS_OVER;
	if ((__u64)until > klais_config.horizon_nanos + KLAIS_EARLY_NANOS)
		return KLAIS_OVER;
	if ((__u64)until <= KLAIS_EARLY_NANOS)
		return KLAIS_DUE;
	*delay_nanos = until;
	return KLAIS_EARLY;
}

/* The session slot that a HELLO may lay claim to: the one held, else the one on its cookie, unless it was used up. */
static __always_inline bool klais_claim(__u64 word, const struct klais_hello *hello, __u32 *tick)
{
	__u32 state = klais_slot_state(word);

	*tick = klais_slot_tick(word);
	if (state == KLAIS_SLOT_SESSION)
		return true;
	/* Past a backfill slot its session has begun: the cookie is of the time before. */
	if (!hello->has_cookie || state == KLAIS_SLOT_BACKFILL)
		return false;
	if (state == KLAIS_SLOT_SPENT && klais_ticks_between(hello->cookie_slot, *tick) <= 0)
		return false;
	*tick = hello->cookie_slot;
	return true;
}

/* Changes a device's word, unless it is as it should be; false if another CPU changed it first. */
static __always_inline bool klais_swap(__u64 *word, __u64 held, __u64 next)
{
	return held == next || __sync_val_compare_and_swap(word, held, next) == held;
}

/* A copy of the last HELLO: its answer may have been lost, so it is given again, and no more than that. */
static __always_inline enum klais_counter klais_answer_copy(__u64 now, __u64 word, struct klais_promise *promise)
{
	promise->tick = klais_slot_tick(word);
	if (klais_slot_state(word) != KLAIS_SLOT_SESSION ||
	    klais_standing(promise->tick, now, &promise->delay_nanos) == KLAIS_OVER)
		return KLAIS_DROP_REPLAYED;
	return KLAIS_DEFER;
}

/* A HELLO that holds no slot: charged, and passed or deferred. Sets the device's next word and the charge. */
static __always_inline enum klais_counter klais_answer_newcomer(__u64 now, __u64 held, __u32 attempt, __u64 *next,
								struct klais_charge *charge,
								struct klais_promise *promise)
{
	struct klais_pace pace = klais_pace(klais_load(&klais_dam.sessions.emission));
	__u64 units = klais_units(now);
	__u64 horizon = klais_units(klais_config.horizon_nanos) + pace.span;
	struct klais_ask ask = { pace.interval, horizon > pace.interval ? horizon - pace.interval : 0 };
	__u64 ahead, then;
	int refused;

	refused = klais_charge(&klais_dam.sessions.tat, units, &ask, charge);
	if (refused)
		return refused == KLAIS_REFUSED_RATE ? KLAIS_DROP_HORIZON : KLAIS_DROP_CONTENDED;
	ahead = charge->after - units;
	if (ahead <= pace.span) {
		__u64 state = klais_slot_state(held);

		/* A missed slot must not come back to life under a wider window. */
		if (state == KLAIS_SLOT_SESSION)
			state = KLAIS_SLOT_SPENT;
		*next = klais_slot_word(state, klais_slot_tick(held), attempt);
		return KLAIS_PASS_HELLO;
	}
	promise->delay_nanos = klais_nanos(ahead - pace.span);
	then = now + promise->delay_nanos;
	promise->tick = klais_tick_at(then < now ? KLAIS_U64_MAX : then);
	*next = klais_slot_word(KLAIS_SLOT_SESSION, promise->tick, attempt);
	return KLAIS_DEFER;
}

/* One try; KLAIS_COUNTERS if another CPU changed the device's word meanwhile. */
static __always_inline enum klais_counter klais_answer_once(__u64 now, const struct klais_hello *hello, __u64 *word,
							    struct klais_promise *promise)
{
	struct klais_charge charge = {};
	enum klais_counter verdict;
	__u64 held = klais_load(word), next;
	__u32 tick;

	if (held) {
		__u32 ahead = klais_attempt_ahead(hello->attempt, (__u32)held);

		if (ahead >= 0x8000)
			return KLAIS_DROP_REPLAYED;
		if (ahead == 0)
			return klais_answer_copy(now, held, promise);
	}
	if (klais_claim(held, hello, &tick)) {
		enum klais_standing standing = klais_standing(tick, now, &promise->delay_nanos);

		if (standing != KLAIS_OVER) {
			bool is_due = standing == KLAIS_DUE;
			__u64 state = is_due ? KLAIS_SLOT_SPENT : KLAIS_SLOT_SESSION;

			promise->tick = tick;
			if (!klais_swap(word, held, klais_slot_word(state, tick, hello->attempt)))
				return KLAIS_COUNTERS;
			return is_due ? KLAIS_PASS_HELLO : KLAIS_DEFER;
		}
	}
	verdict = klais_answer_newcomer(now, held, hello->attempt, &next, &charge, promise);
	if (verdict > KLAIS_DEFER || klais_swap(word, held, next))
		return verdict;
	klais_refund(&klais_dam.sessions.tat, &charge);
	return KLAIS_COUNTERS;
}

/*
 * KLAIS_PASS_HELLO, KLAIS_DEFER with a promise, or a reason to drop. A cookie that does not verify makes its holder a
 * newcomer: a device shows its cookie until it is answered, and would be shut out for good. Not static, as klais_retry.
 */
__attribute__((noinline)) int klais_answer_hello(struct klais_hello *hello, struct klais_promise *promise)
{
	__u64 emission = klais_load(&klais_dam.sessions.emission);
	__u8 mode = klais_config.session_mode;
	__u64 now, *word;
	__u32 device;
	int tries;

	if (!hello || !promise)
		return KLAIS_DROP_CONTENDED;
	device = hello->device;

	if (mode == KLAIS_SESSIONS_OPEN || emission == KLAIS_EMISSION_OFF)
		return KLAIS_PASS_HELLO;
	now = klais_now();
	if (mode == KLAIS_SESSIONS_DROP) {
		struct klais_pace pace = klais_pace(emission);
		struct klais_charge charge;
		struct klais_ask ask;
		int refused;

		if (!klais_ask(&pace, 1, &ask))
			return KLAIS_DROP_INVALID_COST;
		refused = klais_charge(&klais_dam.sessions.tat, klais_units(now), &ask, &charge);
		if (!refused)
			return KLAIS_PASS_HELLO;
		return refused == KLAIS_REFUSED_RATE ? KLAIS_DROP_SESSION_RATE : KLAIS_DROP_CONTENDED;
	}
	if (hello->has_cookie)
		hello->has_cookie = klais_verify_cookie(device, hello->cookie_slot, hello->cookie_mac);
	word = bpf_map_lookup_elem(&slots, &device);
	if (!word)
		return KLAIS_DROP_UNKNOWN_DEVICE;
#pragma clang loop unroll(disable)
	for (tries = 0; tries < KLAIS_RETRIES_MAX; tries++) {
		enum klais_counter verdict = klais_answer_once(now, hello, word, promise);

		if (verdict != KLAIS_COUNTERS)
			return verdict;
	}
	return KLAIS_DROP_CONTENDED;
}

#endif
