/* SPDX-License-Identifier: MIT */
/*
 * One DATA frame through the layers, as native/dam/src/admit.rs: first all buckets are looked at, without changing any;
 * then the frame is charged, from the narrowest layer to the widest, and refunded where a wider one was lost to a race.
 */
#ifndef KLAIS_DAM_H
#define KLAIS_DAM_H

#include "gcra.h"
#include "maps.h"

enum klais_class {
	KLAIS_LIVE,
	KLAIS_BACKFILL,
	/* Backfill whose slot the backfill bucket was charged for: not charged again. */
	KLAIS_RESERVED,
};

/* History leaves one part in 2^3 of the global burst to live traffic and control. */
#define KLAIS_YIELD_SHIFT 3

/* Which bucket pays for the class layer (none where work is 0), and what it was asked and answered. */
struct klais_lane {
	struct klais_bucket *bucket;
	struct klais_ask ask;
	struct klais_charge charge;
};

static __always_inline struct klais_pace klais_pace_of(const struct klais_bucket *bucket)
{
	return klais_pace(klais_load(&bucket->emission));
}

/* KLAIS_PASS_DATA, or why a frame of this device is not looked at at all. */
static __always_inline enum klais_counter klais_knows(__u32 device)
{
	__u32 index = device / 64;
	__u64 *word;

	if (device >= klais_config.devices)
		return KLAIS_DROP_UNKNOWN_DEVICE;
	if (*(volatile __u32 *)&klais_dam.blocked_devices == 0)
		return KLAIS_PASS_DATA;
	word = bpf_map_lookup_elem(&blocked, &index);
	return word && (klais_load(word) >> (device % 64) & 1) ? KLAIS_DROP_BLOCKED : KLAIS_PASS_DATA;
}

/* interval x events, held at the end. */
static __always_inline __u64 klais_work(const struct klais_pace *pace, __u16 events)
{
	__u64 high = (pace->interval >> 32) * events, low = (pace->interval & 0xffffffff) * events;

	return (high + (low >> 32)) >> 32 ? KLAIS_U64_MAX : pace->interval * events;
}

/* The lane of live traffic over its own rate: whether there is one. Changes nothing. */
static __always_inline bool klais_borrow(__u64 now, __u16 cost, bool is_global_off, bool has_room,
					 struct klais_lane *lane)
{
	struct klais_bucket *bucket = &klais_dam.backfill;
	struct klais_pace pace = klais_pace_of(bucket);
	__u64 horizon;

	if (pace.interval == 0 || !has_room)
		return false;
	lane->bucket = bucket;
	if (is_global_off)
		return klais_ask(&pace, cost, &lane->ask) &&
		       klais_look(&bucket->tat, now, &lane->ask, &lane->charge) == KLAIS_GRANTED;
	/* Backfill is pushed out as far as promises reach; at the end of that live traffic still comes before it. */
	horizon = klais_units(klais_config.horizon_nanos);
	lane->ask.work = klais_work(&pace, cost);
	lane->ask.tolerance = horizon - lane->ask.work;
	if (lane->ask.work > horizon ||
	    klais_look(&bucket->tat, now, &lane->ask, &lane->charge) != KLAIS_GRANTED)
		lane->ask.work = 0;
	return true;
}

/* Looks at the class layer. */
static __always_inline bool klais_look_at_class(__u64 now, enum klais_class class, __u16 cost,
						bool is_global_off, bool has_room, struct klais_lane *lane)
{
	if (class == KLAIS_RESERVED)
		return true;
	if (klais_look(&lane->bucket->tat, now, &lane->ask, &lane->charge) == KLAIS_GRANTED)
		return true;
	return class == KLAIS_LIVE && klais_borrow(now, cost, is_global_off, has_room, lane);
}

/* Charges device, class and global, or none of them. */
static __always_inline enum klais_counter klais_commit_all(__u64 now, __u64 *tat, const struct klais_ask *own,
							   struct klais_charge *own_charge,
							   struct klais_lane *lane, const struct klais_ask *all,
							   struct klais_charge *all_charge)
{
	enum klais_counter reason = KLAIS_PASS_DATA;
	int refused;

	refused = klais_commit(tat, now, own, own_charge);
	if (refused)
		return refused == KLAIS_REFUSED_RATE ? KLAIS_DROP_DEVICE_RATE : KLAIS_DROP_CONTENDED;
	refused = klais_commit(&lane->bucket->tat, now, &lane->ask, &lane->charge);
	if (refused) {
		reason = refused == KLAIS_REFUSED_RATE ? KLAIS_DROP_CLASS_RATE : KLAIS_DROP_CONTENDED;
	} else {
		refused = klais_commit(&klais_dam.global.tat, now, all, all_charge);
		if (!refused)
			return KLAIS_PASS_DATA;
		reason = refused == KLAIS_REFUSED_RATE ? KLAIS_DROP_GLOBAL_RATE : KLAIS_DROP_CONTENDED;
		if (lane->ask.work)
			klais_refund(&lane->bucket->tat, &lane->charge);
	}
	if (own->work)
		klais_refund(tat, own_charge);
	return reason;
}

/* A frame of `cost` readings of a device that is known and not blocked, at `now` in units. */
static __always_inline enum klais_counter klais_admit(__u64 now, __u32 device, enum klais_class class, __u16 cost)
{
	struct klais_pace own_pace = klais_pace(klais_load(&klais_dam.device_emission));
	struct klais_pace all_pace = klais_pace_of(&klais_dam.global);
	struct klais_charge own_charge, all_charge;
	struct klais_lane lane = { .bucket = class == KLAIS_LIVE ? &klais_dam.live : &klais_dam.backfill };
	struct klais_ask own, all;
	bool has_room;
	__u64 *tat;

	if (!klais_ask(&own_pace, cost, &own) || !klais_ask(&all_pace, cost, &all))
		return KLAIS_DROP_INVALID_COST;
	if (class != KLAIS_LIVE)
		all.tolerance -= all.tolerance >> KLAIS_YIELD_SHIFT;
	if (class != KLAIS_RESERVED) {
		struct klais_pace pace = klais_pace_of(lane.bucket);

		if (!klais_ask(&pace, cost, &lane.ask))
			return KLAIS_DROP_INVALID_COST;
	}
	tat = bpf_map_lookup_elem(&device_tats, &device);
	if (!tat)
		return KLAIS_DROP_UNKNOWN_DEVICE;
	if (klais_look(tat, now, &own, &own_charge) != KLAIS_GRANTED)
		return KLAIS_DROP_DEVICE_RATE;
	has_room = klais_look(&klais_dam.global.tat, now, &all, &all_charge) == KLAIS_GRANTED;
	if (!klais_look_at_class(now, class, cost, all.work == 0, has_room, &lane))
		return KLAIS_DROP_CLASS_RATE;
	if (!has_room)
		return KLAIS_DROP_GLOBAL_RATE;
	return klais_commit_all(now, tat, &own, &own_charge, &lane, &all, &all_charge);
}

#endif
