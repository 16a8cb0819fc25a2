/* SPDX-License-Identifier: MIT */
/*
 * DEFER, written over the HELLO that asked for it, on its way back.
 *
 * The answer has plain headers: IPv4 options and IPv6 extension headers of the HELLO are left out, VLAN tags stay. It is
 * 8 bytes shorter than the HELLO at least: nobody's amplifier.
 */
#ifndef KLAIS_ANSWER_H
#define KLAIS_ANSWER_H

#include "wire.h"

#define KLAIS_HOPS 64
#define KLAIS_DONT_FRAGMENT 0x4000
#define KLAIS_NANOS_PER_MILLI 1000000
/* Delays are cut to whole microseconds before they are rounded up to milliseconds, as the gateway does. */
#define KLAIS_ROUND_UP_NANOS 999000

struct klais_defer {
	__u64 word[KLAIS_DEFER_BYTES / 8];
};

/* Ones' complement sum of 32-bit words, to 16 bits. The order of bytes does not matter to it (RFC 1071). */
static __always_inline __u16 klais_fold_sum(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* Whether an IPv4 header's checksum is right: an answer must not go to an address that the link has garbled. */
static __always_inline bool klais_is_header_sound(const struct klais_datagram *d)
{
	__u32 words = *(__u8 *)d->ip & 15, i;
	__be32 *word = d->ip;
	__u64 sum = 0;

#pragma clang loop unroll(disable)
	for (i = 0; i < 15 && i < words; i++) {
		KLAIS_KEEP(word);
		if ((void *)(word + 1) > d->end)
			return false;
		sum += *word++;
	}
	return klais_fold_sum(sum) == 0;
}

static __always_inline void klais_build_defer(const struct klais_asker *asker, const struct klais_promise *promise,
					      struct klais_defer *defer)
{
	__u32 device = bpf_ntohl(asker->device);
	__u32 delay_millis = (promise->delay_nanos + KLAIS_ROUND_UP_NANOS) / KLAIS_NANOS_PER_MILLI;
	struct klais_sip sip = klais_sip_new_wide(asker->key);
	struct klais_words tag;

	defer->word[0] = KLAIS_VERSION | KLAIS_TYPE_DEFER << 8 | bpf_htons(KLAIS_DEFER_BYTES) << 16 |
			 (__u64)asker->device << 32;
	defer->word[1] = asker->session | (__u64)asker->key_epoch << 16 | (__u64)bpf_htonl(delay_millis) << 32;
	defer->word[2] = bpf_htonl(promise->tick);
	defer->word[3] = bpf_cpu_to_be64(klais_sign_cookie(device, promise->tick));
	klais_sip_word(&sip, defer->word[0]);
	klais_sip_word(&sip, defer->word[1]);
	klais_sip_word(&sip, defer->word[2]);
	klais_sip_word(&sip, defer->word[3]);
	tag = klais_sip_end_wide(&sip, 32);
	defer->word[4] = tag.low;
	defer->word[5] = tag.high;
}

static __always_inline __u64 klais_sum_word(__u64 word)
{
	return (word & 0xffffffff) + (word >> 32);
}

/* The datagram behind the IP header, whose addresses sum up to `addresses`. */
static __always_inline void klais_write_datagram(struct udphdr *udp, __be16 from, __be16 to, __u64 addresses,
						 const struct klais_defer *defer)
{
	__be16 length = bpf_htons(sizeof(*udp) + KLAIS_DEFER_BYTES);
	/* The pseudo header's length and protocol are at other places in IPv4 and IPv6: the sum is the same. */
	__u64 sum = addresses + length + bpf_htons(IPPROTO_UDP) + from + to + length;
	__u64 *out = (__u64 *)(udp + 1);
	__u16 check;
	int i;

#pragma clang loop unroll(full)
	for (i = 0; i < KLAIS_DEFER_BYTES / 8; i++) {
		sum += klais_sum_word(defer->word[i]);
		*(volatile __u64 *)(out + i) = defer->word[i];
	}
	check = klais_fold_sum(sum);
	udp->source = from;
	udp->dest = to;
	udp->len = length;
	/* 0 would say that there is no checksum. */
	udp->check = check ? check : 0xffff;
}

static __always_inline void klais_turn_ethernet(struct ethhdr *eth)
{
	__u16 *word = (__u16 *)eth;
	int i;

#pragma clang loop unroll(full)
	for (i = 0; i < 3; i++) {
		__u16 to = word[i];

		word[i] = word[i + 3];
		word[i + 3] = to;
	}
}

/*
 * The packet's room for the answer: cut, then checked anew, as the verifier wants it. Null if the kernel does not cut.
 * `ip_offset` is a constant wherever this is used: a bound that the verifier can follow.
 */
static __always_inline void *klais_cut(struct xdp_md *ctx, __u32 ip_offset, __u32 bytes)
{
	long have = (long)ctx->data_end - (long)ctx->data;
	void *data, *ip;

	KLAIS_KEEP(have);
	if (bpf_xdp_adjust_tail(ctx, (int)(ip_offset + bytes - have)))
		return NULL;
	data = (void *)(long)ctx->data;
	ip = data + ip_offset;
	if (data + sizeof(struct ethhdr) > (void *)(long)ctx->data_end ||
	    ip + bytes > (void *)(long)ctx->data_end)
		return NULL;
	klais_turn_ethernet(data);
	return ip;
}

static __always_inline enum klais_counter klais_answer_ipv4(struct xdp_md *ctx, const struct klais_datagram *d,
							    const struct klais_defer *defer)
{
	const __u32 bytes = sizeof(struct iphdr) + sizeof(struct udphdr) + KLAIS_DEFER_BYTES;
	__be16 from = d->udp->dest, to = d->udp->source;
	struct iphdr *ip = d->ip;
	__be32 source = ip->daddr, target = ip->saddr;
	__u32 *word;
	__u64 sum;

	ip = klais_cut(ctx, d->ip_offset, bytes);
	if (!ip)
		return KLAIS_DROP_UNANSWERED;
	word = (__u32 *)ip;
	/* Version, length of the header, no service class; the whole length. */
	word[0] = 0x45 | (__u32)bpf_htons(bytes) << 16;
	/* No identification, since it is never a fragment (RFC 6864). */
	word[1] = (__u32)bpf_htons(KLAIS_DONT_FRAGMENT) << 16;
	sum = (__u64)word[0] + word[1] + (KLAIS_HOPS | IPPROTO_UDP << 8) + source + target;
	word[2] = KLAIS_HOPS | IPPROTO_UDP << 8 | (__u32)klais_fold_sum(sum) << 16;
	ip->saddr = source;
	ip->daddr = target;
	klais_write_datagram((void *)(ip + 1), from, to, (__u64)source + target, defer);
	return KLAIS_DEFER;
}

static __always_inline enum klais_counter klais_answer_ipv6(struct xdp_md *ctx, const struct klais_datagram *d,
							    const struct klais_defer *defer)
{
	const __u32 bytes = sizeof(struct ipv6hdr) + sizeof(struct udphdr) + KLAIS_DEFER_BYTES;
	__be16 from = d->udp->dest, to = d->udp->source;
	struct ipv6hdr *ip = d->ip;
	__u64 sum = 0;
	__u32 *word;
	int i;

	/* The addresses stay where they are: the cut is behind them. */
	ip = klais_cut(ctx, d->ip_offset, bytes);
	if (!ip)
		return KLAIS_DROP_UNANSWERED;
	word = (__u32 *)ip;
	word[0] = bpf_htonl(6U << 28);
	word[1] = bpf_htons(bytes - sizeof(*ip)) | IPPROTO_UDP << 16 | (__u32)KLAIS_HOPS << 24;
#pragma clang loop unroll(full)
	for (i = 2; i < 6; i++) {
		__u32 target = word[i];

		word[i] = word[i + 4];
		word[i + 4] = target;
		sum += (__u64)word[i] + target;
	}
	klais_write_datagram((void *)(ip + 1), from, to, sum, defer);
	return KLAIS_DEFER;
}

/* KLAIS_DEFER, or KLAIS_DROP_UNANSWERED. */
static __always_inline enum klais_counter klais_answer(struct xdp_md *ctx, const struct klais_datagram *d,
						       const struct klais_asker *asker,
						       const struct klais_promise *promise)
{
	struct klais_defer defer;

	klais_build_defer(asker, promise, &defer);
	return d->is_ipv6 ? klais_answer_ipv6(ctx, d, &defer) : klais_answer_ipv4(ctx, d, &defer);
}

#endif
