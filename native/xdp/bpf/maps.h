/* SPDX-License-Identifier: MIT */
/*
 * The program's memory.
 *
 * What is one value is a global variable: the program reaches it without a look-up, user space by mapping the map
 * that libbpf makes of its section. The tables are arrays of one 8-byte word per entry, so that a mapping of them is a
 * plain array of words too. Nothing is ever evicted: a table that forgets would grant a new burst.
 */
#ifndef KLAIS_MAPS_H
#define KLAIS_MAPS_H

#include "klais.h"

const volatile struct klais_options klais_options SEC(".rodata.options") = {};
volatile struct klais_config klais_config SEC(".data.config") = {};
struct klais_dam_state klais_dam SEC(".data.dam") = {};
volatile struct klais_test klais_test SEC(".data.test") = {};

/* One TAT per device; max_entries is set by the loader. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} device_tats SEC(".maps");

/* One slot word per device, see slot.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} slots SEC(".maps");

/* One bit per device. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} blocked SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, KLAIS_PREFIXES_MAX);
	__type(key, struct klais_prefix);
	__type(value, __u32);
} prefixes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, KLAIS_COUNTERS);
	__type(key, __u32);
	__type(value, struct klais_count);
} counters SEC(".maps");

#endif
