/* SPDX-License-Identifier: MIT */
/*
 * From the first byte of a packet to the first of a frame: Ethernet, up to two VLAN tags, IPv4 with options, IPv6 with
 * extension headers, UDP. Whatever is not a datagram to us keeps its way to the stack.
 */
#ifndef KLAIS_PARSE_H
#define KLAIS_PARSE_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include "maps.h"

/* IPv6 extension headers that are followed. */
#define KLAIS_EXTENSIONS_MAX 8
#define KLAIS_VLAN_BYTES 4
#define KLAIS_MORE_FRAGMENTS 0x2000
#define KLAIS_FRAGMENT_OFFSET 0x1fff
/* parse found a datagram to us. */
#define KLAIS_OURS KLAIS_COUNTERS

/* A datagram to us. */
struct klais_datagram {
	void *ip;
	struct udphdr *udp;
	void *end;
	/* From the first byte of the packet to that of the IP header. */
	__u32 ip_offset;
	/* Of the UDP payload, as the headers have it; no longer than the packet. */
	__u32 bytes;
	bool is_ipv6;
};

/* 0xffff in the second word's third 16 bits: the prefix of IPv4-mapped addresses, in memory order. */
static __always_inline __u64 klais_mapped(__be32 address)
{
	return 0xffff0000ULL | (__u64)address << 32;
}

/* Two words of an address at any alignment of 4. */
static __always_inline __u64 klais_half(const __be32 *address)
{
	return address[0] | (__u64)address[1] << 32;
}

/* Whether it is one of those configured. Not static, as klais_retry. */
__attribute__((noinline)) int klais_is_configured(__u64 high, __u64 low)
{
	__u32 addresses = klais_config.addresses, i;

#pragma clang loop unroll(disable)
	for (i = 0; i < KLAIS_ADDRESSES_MAX && i < addresses; i++)
		if (klais_config.address[i][0] == high && klais_config.address[i][1] == low)
			return 1;
	return 0;
}

static __always_inline bool klais_is_our_address(__u64 high, __u64 low)
{
	return klais_config.addresses == 0 || klais_is_configured(high, low);
}

/* What is left of a datagram behind its IP headers. */
static __always_inline enum klais_counter klais_check_udp(struct klais_datagram *d, __s32 room, bool is_fragment)
{
	__s32 length = bpf_ntohs(d->udp->len);

	if (is_fragment)
		return KLAIS_DROP_FRAGMENT;
	if (length < (__s32)sizeof(struct udphdr) || length > room)
		return KLAIS_DROP_MALFORMED;
	if (length > d->end - (void *)d->udp)
		return KLAIS_DROP_MALFORMED;
	d->bytes = length - sizeof(struct udphdr);
	return KLAIS_OURS;
}

static __always_inline enum klais_counter klais_parse_ipv4(struct klais_datagram *d)
{
	struct iphdr *ip = d->ip;
	__u32 header_bytes;
	__u16 fragment;
	__u8 first;

	if ((void *)(ip + 1) > d->end)
		return KLAIS_FOREIGN_RUNT;
	if (ip->protocol != IPPROTO_UDP)
		return KLAIS_FOREIGN_IPV4;
	first = *(__u8 *)ip;
	if (first < 0x45 || first > 0x4f)
		return KLAIS_FOREIGN_MALFORMED;
	fragment = ip->frag_off;
	if (fragment & bpf_htons(KLAIS_FRAGMENT_OFFSET))
		return KLAIS_FOREIGN_FRAGMENT;
	header_bytes = (first & 15) * 4;
	d->udp = (void *)ip + header_bytes;
	if ((void *)(d->udp + 1) > d->end)
		return KLAIS_FOREIGN_RUNT;
	if (d->udp->dest != klais_config.port || !klais_is_our_address(0, klais_mapped(ip->daddr)))
		return KLAIS_FOREIGN_UDP;
	return klais_check_udp(d, (__s32)bpf_ntohs(ip->tot_len) - header_bytes,
			       fragment & bpf_htons(KLAIS_MORE_FRAGMENTS));
}

/* What klais_skip_extensions found: a counter, or where UDP begins. */
#define KLAIS_NO_UDP 0x10000
#define KLAIS_IS_FRAGMENT 0x20000
#define KLAIS_OFFSET_MASK 0xffff

static __always_inline bool klais_is_extension(__u8 kind)
{
	return kind == IPPROTO_HOPOPTS || kind == IPPROTO_ROUTING || kind == IPPROTO_DSTOPTS ||
	       kind == IPPROTO_FRAGMENT || kind == IPPROTO_AH;
}

/*
 * Follows the extension headers of the IPv6 packet at this offset: the offset of UDP, with KLAIS_IS_FRAGMENT where it is
 * the first of several, or KLAIS_NO_UDP with a counter. Not static, as klais_retry.
 */
__attribute__((noinline)) int klais_skip_extensions(struct xdp_md *ctx, __u32 offset)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 flags = 0, i;
	__u8 next;

	offset &= 31;
	if (data + offset + sizeof(struct ipv6hdr) > end)
		return KLAIS_NO_UDP | KLAIS_FOREIGN_RUNT;
	next = ((struct ipv6hdr *)(data + offset))->nexthdr;
	offset += sizeof(struct ipv6hdr);
#pragma clang loop unroll(disable)
	for (i = 0; i < KLAIS_EXTENSIONS_MAX && klais_is_extension(next); i++) {
		__u8 *extension = data + (offset & KLAIS_OFFSET_MASK / 2);

		if ((void *)(extension + 8) > end)
			return KLAIS_NO_UDP | KLAIS_FOREIGN_RUNT;
		if (next == IPPROTO_FRAGMENT) {
			__be16 fragment = *(__be16 *)(extension + 2);

			if (fragment & bpf_htons(0xfff8))
				return KLAIS_NO_UDP | KLAIS_FOREIGN_FRAGMENT;
			/* One that is all there is (RFC 6946) is a packet like any other. */
			if (fragment & bpf_htons(1))
				flags = KLAIS_IS_FRAGMENT;
			offset += 8;
		} else if (next == IPPROTO_AH) {
			offset += (extension[1] + 2) * 4;
		} else {
			/* With segments left it has further to go: we are not its destination. */
			if (next == IPPROTO_ROUTING && extension[3] != 0)
				return KLAIS_NO_UDP | KLAIS_FOREIGN_IPV6;
			offset += (extension[1] + 1) * 8;
		}
		next = extension[0];
	}
	return next == IPPROTO_UDP ? flags | offset : KLAIS_NO_UDP | KLAIS_FOREIGN_IPV6;
}

static __always_inline enum klais_counter klais_parse_ipv6(struct xdp_md *ctx, struct klais_datagram *d)
{
	__u32 extension_bytes = 0, found = 0;
	struct ipv6hdr *ip = d->ip;

	if ((void *)(ip + 1) > d->end)
		return KLAIS_FOREIGN_RUNT;
	if (*(__u8 *)ip >> 4 != 6)
		return KLAIS_FOREIGN_MALFORMED;
	d->udp = (void *)(ip + 1);
	if (ip->nexthdr != IPPROTO_UDP) {
		found = klais_skip_extensions(ctx, d->ip_offset);
		if (found & KLAIS_NO_UDP)
			return found & 0xff;
		extension_bytes = ((found & KLAIS_OFFSET_MASK / 2) - d->ip_offset - sizeof(*ip)) & KLAIS_OFFSET_MASK / 2;
		d->udp = (void *)(ip + 1) + extension_bytes;
	}
	if ((void *)(d->udp + 1) > d->end)
		return KLAIS_FOREIGN_RUNT;
	if (d->udp->dest != klais_config.port ||
	    !klais_is_our_address(klais_half(ip->daddr.s6_addr32), klais_half(ip->daddr.s6_addr32 + 2)))
		return KLAIS_FOREIGN_UDP;
	return klais_check_udp(d, (__s32)bpf_ntohs(ip->payload_len) - extension_bytes, found & KLAIS_IS_FRAGMENT);
}

/* KLAIS_OURS with the datagram, a KLAIS_FOREIGN_* to pass, or a reason to drop. */
static __always_inline enum klais_counter klais_parse(struct xdp_md *ctx, struct klais_datagram *d)
{
	void *data = (void *)(long)ctx->data;
	struct ethhdr *eth = data;
	__be16 protocol;
	int tag;

	d->end = (void *)(long)ctx->data_end;
	if ((void *)(eth + 1) > d->end)
		return KLAIS_FOREIGN_RUNT;
	protocol = eth->h_proto;
	d->ip = eth + 1;
	d->ip_offset = sizeof(*eth);
#pragma clang loop unroll(full)
	for (tag = 0; tag < 2; tag++) {
		if (protocol != bpf_htons(ETH_P_8021Q) && protocol != bpf_htons(ETH_P_8021AD))
			break;
		if (d->ip + KLAIS_VLAN_BYTES > d->end)
			return KLAIS_FOREIGN_RUNT;
		protocol = *(__be16 *)(d->ip + 2);
		d->ip += KLAIS_VLAN_BYTES;
		d->ip_offset += KLAIS_VLAN_BYTES;
	}
	d->is_ipv6 = protocol == bpf_htons(ETH_P_IPV6);
	if (d->is_ipv6)
		return klais_parse_ipv6(ctx, d);
	if (protocol == bpf_htons(ETH_P_IP))
		return klais_parse_ipv4(d);
	return protocol == bpf_htons(ETH_P_ARP) ? KLAIS_FOREIGN_ARP : KLAIS_FOREIGN_NON_IP;
}

#endif
