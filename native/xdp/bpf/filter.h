/* SPDX-License-Identifier: MIT */
/*
 * The dam in the kernel, as one function: what native/gateway's `ingress` decides, decided before the stack sees the
 * packet. docs/xdp.md has the order of the checks and the reasons for it.
 */
#ifndef KLAIS_FILTER_H
#define KLAIS_FILTER_H

#include "answer.h"

static __always_inline void klais_count(enum klais_counter counter, __u32 readings)
{
	__u32 index = counter;
	struct klais_count *count = bpf_map_lookup_elem(&counters, &index);

	if (!count)
		return;
	count->packets++;
	count->readings += readings;
}

static __always_inline bool klais_is_prefix_blocked(const struct klais_datagram *d)
{
	struct klais_prefix key = { .bits = 128 };

	if (klais_config.prefixes == 0)
		return false;
	if (d->is_ipv6) {
		struct ipv6hdr *ip = d->ip;

		key.address[0] = klais_half(ip->saddr.s6_addr32);
		key.address[1] = klais_half(ip->saddr.s6_addr32 + 2);
	} else {
		struct iphdr *ip = d->ip;

		key.address[0] = 0;
		key.address[1] = klais_mapped(ip->saddr);
	}
	return bpf_map_lookup_elem(&prefixes, &key) != NULL;
}

static __always_inline enum klais_counter klais_decide(struct xdp_md *ctx, __u32 *readings)
{
	struct klais_promise promise = {};
	struct klais_datagram d = {};
	struct klais_asker asker;
	enum klais_counter verdict = klais_parse(ctx, &d);
	void *frame;

	if (verdict != KLAIS_OURS)
		return verdict;
	if (klais_is_prefix_blocked(&d))
		return KLAIS_DROP_PREFIX;
	frame = d.udp + 1;
	if (d.bytes < KLAIS_HEADER_AND_MAC_BYTES || frame + KLAIS_HEADER_AND_MAC_BYTES > d.end)
		return KLAIS_DROP_TRUNCATED;
	verdict = klais_check_header(frame, d.bytes);
	if (verdict == KLAIS_PASS_DATA) {
		if (frame + KLAIS_DATA_BYTES > d.end)
			return KLAIS_DROP_MALFORMED;
		return klais_on_data(frame, d.bytes, readings);
	}
	if (verdict != KLAIS_PASS_HELLO)
		return verdict;
	if (frame + KLAIS_HELLO_BYTES > d.end || (!d.is_ipv6 && !klais_is_header_sound(&d)))
		return KLAIS_DROP_MALFORMED;
	verdict = klais_on_hello(frame, &asker, &promise);
	return verdict == KLAIS_DEFER ? klais_answer(ctx, &d, &asker, &promise) : verdict;
}

static __always_inline int klais_filter(struct xdp_md *ctx)
{
	__u32 readings = 0;
	enum klais_counter counter = klais_decide(ctx, &readings);

	klais_count(counter, readings);
	if (klais_options.test)
		klais_test.outcome = counter;
	if (counter < KLAIS_DEFER)
		return XDP_PASS;
	return counter == KLAIS_DEFER ? XDP_TX : XDP_DROP;
}

#endif
