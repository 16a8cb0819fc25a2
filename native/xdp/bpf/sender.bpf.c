// SPDX-License-Identifier: MIT
/*
 * Floods, for measuring and testing what stands in their way.
 *
 * These run by BPF_PROG_TEST_RUN with live frames: the kernel takes a page, puts the given packet into it, and carries out
 * what the program says. A page comes back with the bytes that its last journey left in it, so that whatever a receiver
 * may have changed is written again for each frame.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/types.h>
#include <linux/udp.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* From the first byte of the packet: Ethernet, IPv4 without options, UDP. */
#define SENDER_DEVICE_OFFSET (sizeof(struct ethhdr) + sizeof(struct iphdr) + sizeof(struct udphdr) + 4)
#define SENDER_FRAME_BYTES_MAX 128

/* Fixed when the program is loaded. */
struct sender_options {
	/* Of the whole packet. */
	__u32 frame_bytes;
	/* Frames with numbers of random devices, first_device to first_device + devices - 1; with 0, as they are. */
	__u32 devices;
	__u32 first_device;
	/* Source addresses at random, source_base | random & source_mask, in host order; with mask 0, as they are. */
	__u32 source_base;
	__u32 source_mask;
	/* Prepared frames, taken in turn, a power of two; with 0, the packet given to the test run. */
	__u32 prepared;
	/* Ends here instead of at the interface: what the sender itself costs. */
	__u8 drop;
};

struct sender_frame {
	__u64 words[SENDER_FRAME_BYTES_MAX / 8];
};

const volatile struct sender_options sender_options SEC(".rodata.options") = {};

/* One sender runs at a time, on one CPU. */
struct sender_state {
	__u64 random;
	__u64 sent;
};

struct sender_state sender_state SEC(".data.state") = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sender_frame);
} frames SEC(".maps");

/* Where frames go. */
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} target SEC(".maps");

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* A linear congruential generator (Knuth's MMIX); its high half is random enough for addresses. */
static __always_inline __u32 sender_random(void)
{
	sender_state.random = sender_state.random * 6364136223846793005ULL + 1442695040888963407ULL;
	return sender_state.random >> 32;
}

static __always_inline bool sender_copy(void *data, void *end)
{
	__u32 index = sender_state.sent & (sender_options.prepared - 1), at;
	struct sender_frame *frame = bpf_map_lookup_elem(&frames, &index);

	if (!frame)
		return false;
#pragma clang loop unroll(full)
	for (at = 0; at < SENDER_FRAME_BYTES_MAX; at += 8) {
		if (at >= sender_options.frame_bytes)
			break;
		if (at + 8 > sender_options.frame_bytes) {
			/* The last word of a frame may reach back over the one before it. */
			__u32 tail = sender_options.frame_bytes - 8;

			if (data + tail + 8 > end || tail > SENDER_FRAME_BYTES_MAX - 8)
				return false;
			*(volatile __u64 *)(data + tail) = *(volatile __u64 *)((void *)frame + tail);
			break;
		}
		if (data + at + 8 > end)
			return false;
		*(volatile __u64 *)(data + at) = frame->words[at / 8];
	}
	return true;
}

/* One's complement arithmetic (RFC 1071): the checksum of the header given, but for another source. */
static __always_inline __u16 sender_checksum(__u16 checksum, __be32 before, __be32 after)
{
	__u32 sum = (__u16)~checksum;

	sum += (__u16)~before + (__u16)~(before >> 16) + (__u16)after + (__u16)(after >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static __always_inline void sender_spoof(struct iphdr *ip)
{
	__be32 before = ip->saddr;
	__be32 after = bpf_htonl(sender_options.source_base | (sender_random() & sender_options.source_mask));

	ip->check = sender_checksum(ip->check, before, after);
	ip->saddr = after;
}

SEC("xdp")
int klais_send(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = data + sizeof(struct ethhdr);
	__be32 *device = data + SENDER_DEVICE_OFFSET;

	if (sender_options.prepared && !sender_copy(data, end))
		return XDP_ABORTED;
	if (sender_options.source_mask) {
		if ((void *)(ip + 1) > end)
			return XDP_ABORTED;
		sender_spoof(ip);
	}
	if (sender_options.devices) {
		__u32 offset = (__u64)sender_random() * sender_options.devices >> 32;

		if ((void *)(device + 1) > end)
			return XDP_ABORTED;
		*device = bpf_htonl(sender_options.first_device + offset);
	}
	sender_state.sent++;
	if (sender_options.drop)
		return XDP_DROP;
	return bpf_redirect_map(&target, 0, XDP_DROP);
}

/* The cheapest receiver there can be. */
SEC("xdp")
int klais_swallow(struct xdp_md *ctx)
{
	return XDP_DROP;
}

/* Lets the stack have it: a veth interface takes redirected frames only where its peer has a program (or GRO). */
SEC("xdp")
int klais_let_through(struct xdp_md *ctx)
{
	return XDP_PASS;
}
