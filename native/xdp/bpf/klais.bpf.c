// SPDX-License-Identifier: MIT
/*
 * The dam in the kernel.
 *
 * Needs Linux 5.15, for which it uses uapi headers only: no field of a kernel's own structures is read, so there is
 * nothing to relocate. What older kernels lack: 5.12 brought atomic compare-and-exchange to BPF (-mcpu=v3), 5.11 the coarse
 * clock, 5.9 XDP attached by bpf_link, 5.8 a cut of the packet's tail in generic mode that holds, 5.5 maps that user space
 * can map.
 */
#include "filter.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("xdp")
int klais(struct xdp_md *ctx)
{
	return klais_filter(ctx);
}
