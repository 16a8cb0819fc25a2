// SPDX-License-Identifier: MIT
/*
 * What the filter costs per packet. Each run takes the next of many prepared frames, which lie in no order of devices, copies
 * it into the packet, and calls the filter; the same without the call is what is subtracted. The frames are walked in turn,
 * so that the processor fetches them ahead as a network card would have, and only the filter's own look-ups miss caches.
 */
#include "klais.bpf.c"

#define BENCH_FRAME_BYTES_MAX 128

/* Fixed when the program is loaded. */
struct bench_options {
	/* Of each packet, 14 to BENCH_FRAME_BYTES_MAX. */
	__u32 frame_bytes;
	/* A power of two. */
	__u32 frames;
};

struct bench_frame {
	__u64 words[BENCH_FRAME_BYTES_MAX / 8];
};

/* One test run at a time. */
struct bench_state {
	__u64 next;
	/* What became of the runs, by XDP action; the last for any other. */
	__u64 actions[8];
};

const volatile struct bench_options bench_options SEC(".rodata.bench") = {};
struct bench_state bench_state SEC(".data.bench") = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bench_frame);
} bench_frames SEC(".maps");

/* The packet as it arrives. An answer has cut the one before, whose bytes are given back first. */
static __always_inline bool bench_receive(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	const __u32 bytes = bench_options.frame_bytes;
	__u32 index = bench_state.next++ & (bench_options.frames - 1), at;
	struct bench_frame *frame = bpf_map_lookup_elem(&bench_frames, &index);

	if (!frame || bytes < 14 || bytes > BENCH_FRAME_BYTES_MAX)
		return false;
	if (data + bytes > end) {
		if (bpf_xdp_adjust_tail(ctx, bytes - (int)(end - data)))
			return false;
		data = (void *)(long)ctx->data;
		end = (void *)(long)ctx->data_end;
		if (data + bytes > end)
			return false;
	}
#pragma clang loop unroll(full)
	for (at = 0; at < BENCH_FRAME_BYTES_MAX; at += 8) {
		if (at + 8 <= bytes)
			*(volatile __u64 *)(data + at) = frame->words[at / 8];
		else if (at < bytes)
			/* The last word reaches back over the one before it. */
			*(volatile __u64 *)(data + bytes - 8) = *(volatile __u64 *)((void *)frame + bytes - 8);
	}
	return true;
}

static __always_inline int bench_count(int action)
{
	bench_state.actions[action & 7]++;
	return action;
}

SEC("xdp")
int bench_filter(struct xdp_md *ctx)
{
	return bench_count(bench_receive(ctx) ? klais_filter(ctx) : XDP_ABORTED);
}

SEC("xdp")
int bench_baseline(struct xdp_md *ctx)
{
	return bench_count(bench_receive(ctx) ? XDP_DROP : XDP_ABORTED);
}

/*
 * Two that differ by one thing: giving bytes back after a cut, which a filter that answers makes bench_receive do. This
 * one gives them back once per packet,
 */
SEC("xdp")
int bench_cut(struct xdp_md *ctx)
{
	return bench_count(bench_receive(ctx) && !bpf_xdp_adjust_tail(ctx, -8) ? XDP_DROP : XDP_ABORTED);
}

/* and this one twice, half of them each time. */
SEC("xdp")
int bench_cut_by_halves(struct xdp_md *ctx)
{
	if (!bench_receive(ctx) || bpf_xdp_adjust_tail(ctx, -8) || bpf_xdp_adjust_tail(ctx, 4))
		return bench_count(XDP_ABORTED);
	return bench_count(XDP_DROP);
}

SEC("xdp")
int bench_empty(struct xdp_md *ctx)
{
	return XDP_DROP;
}
