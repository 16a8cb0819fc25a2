/* SPDX-License-Identifier: MIT */
/*
 * What the program shares with user space: layouts and numbers. Twin of src/layout.rs and src/counters.rs.
 *
 * Words that user space may change while packets arrive are read once per packet, each by one load, and each is valid
 * whatever the others are at that moment.
 */
#ifndef KLAIS_H
#define KLAIS_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "frames are hashed as little-endian words: a big-endian host would need byte swaps here"
#endif

/* Keeps the compiler from moving arithmetic on packet pointers to where the verifier does not follow it. */
#define KLAIS_KEEP(value) asm volatile("" : "+r"(value))

/* How often a lost race for a word is run again before the frame is refused; as native/dam's MAX_RETRIES. */
#define KLAIS_RETRIES_MAX 32
/* Key sets kept: a rotation fills the next one and then stores its index. */
#define KLAIS_KEY_SETS 8
/* Addresses of ours that can be told from others. */
#define KLAIS_ADDRESSES_MAX 8
/* Addresses under blocked prefixes that the trie holds. */
#define KLAIS_PREFIXES_MAX 65536
/* Words of the set of shards that are another gateway's. */
#define KLAIS_SHARD_WORDS 64

/* What becomes of a HELLO over the rate. */
enum klais_session_mode {
	KLAIS_SESSIONS_OPEN = 0,
	KLAIS_SESSIONS_DROP = 1,
	KLAIS_SESSIONS_SLOTS = 2,
};

/*
 * Every packet is counted under exactly one of these. The order says what becomes of it: up to and including
 * KLAIS_PASS_ELSEWHERE it goes on to the stack untouched, KLAIS_DEFER is answered, the rest is dropped.
 */
enum klais_counter {
	/* Shorter than its own headers. */
	KLAIS_FOREIGN_RUNT = 0,
	/* Neither ARP nor IP. */
	KLAIS_FOREIGN_NON_IP,
	KLAIS_FOREIGN_ARP,
	/* IPv4, not UDP. */
	KLAIS_FOREIGN_IPV4,
	/* IPv6, not UDP (or UDP behind more headers than the program follows). */
	KLAIS_FOREIGN_IPV6,
	/* UDP to another port or address. */
	KLAIS_FOREIGN_UDP,
	/* A later fragment: it has no port, so it cannot be told whose it is. */
	KLAIS_FOREIGN_FRAGMENT,
	/* A header that contradicts itself. */
	KLAIS_FOREIGN_MALFORMED,

	KLAIS_PASS_HELLO,
	KLAIS_PASS_DATA,
	KLAIS_PASS_KEEP_ALIVE,
	/* Of a shard that another gateway serves: nothing is charged, and user space says where to go. */
	KLAIS_PASS_ELSEWHERE,

	KLAIS_DEFER,

	/* native/dam's DropReason, in its order. */
	KLAIS_DROP_BLOCKED,
	KLAIS_DROP_UNKNOWN_DEVICE,
	KLAIS_DROP_INVALID_COST,
	KLAIS_DROP_DEVICE_RATE,
	KLAIS_DROP_CLASS_RATE,
	KLAIS_DROP_GLOBAL_RATE,
	KLAIS_DROP_SESSION_RATE,
	KLAIS_DROP_BAD_COOKIE,
	KLAIS_DROP_HORIZON,
	KLAIS_DROP_CONTENDED,
	KLAIS_DROP_REPLAYED,

	/* A frame that only gateways send. */
	KLAIS_DROP_MISDIRECTED,

	/* The wire format's errors, in the order in which they are checked. */
	KLAIS_DROP_TRUNCATED,
	KLAIS_DROP_VERSION,
	KLAIS_DROP_TYPE,
	KLAIS_DROP_LENGTH,
	KLAIS_DROP_FIELD,
	KLAIS_DROP_KEY_EPOCH,
	KLAIS_DROP_MAC,

	/* To our port, in fragments: no device sends frames so long. */
	KLAIS_DROP_FRAGMENT,
	/* From a blocked prefix. */
	KLAIS_DROP_PREFIX,
	/* To our port, with IP or UDP lengths that lie, or a wrong IPv4 header checksum. */
	KLAIS_DROP_MALFORMED,
	/* Deferred, but the kernel let the packet not be cut to the answer's size. */
	KLAIS_DROP_UNANSWERED,

	KLAIS_COUNTERS,
};

/* One per CPU and klais_counter. */
struct klais_count {
	__u64 packets;
	/* In DATA frames. */
	__u64 readings;
};

/* A master key or cookie key, as two little-endian words, and the one before it. */
struct klais_keys {
	__u64 present[2];
	__u64 previous[2];
	__u8 present_epoch;
	__u8 previous_epoch;
	__u8 has_previous;
	__u8 reserved[5];
};

/* Bucket of native/dam: alone on its cache lines, in pairs because prefetchers fetch pairs. */
struct klais_bucket {
	/* Theoretical arrival time, in units of 2^-9 ns. */
	__u64 tat;
	/* Burst and interval, see gcra.h. */
	__u64 emission;
	__u64 reserved[14];
} __attribute__((aligned(128)));

/* DamState of native/dam. */
struct klais_dam_state {
	struct klais_bucket global;
	struct klais_bucket control;
	struct klais_bucket live;
	struct klais_bucket backfill;
	struct klais_bucket sessions;
	__u64 device_emission;
	/* 0: no bit of the blocklist is set. */
	__u32 blocked_devices;
	__u32 reserved[29];
} __attribute__((aligned(128)));

struct klais_config {
	/* The port frames are sent to, in network order. */
	__u16 port;
	/* Whether backfill was charged when its slot was reserved. */
	__u8 slots;
	/* enum klais_session_mode. */
	__u8 session_mode;
	/* Devices 0 to devices - 1 are known. */
	__u32 devices;
	/* Entries of the prefix trie; 0 spares the look-up. */
	__u32 prefixes;
	/* Valid entries of `address`; 0: whatever the address, the port decides. */
	__u32 addresses;
	/* The key sets in use. */
	__u32 master_index;
	__u32 cookie_index;
	/* What a HELLO calls this gateway, in network order; 0: any name is taken. */
	__u32 gateway;
	/* Device d is in shard d % shards; 0: all are served here. */
	__u32 shards;
	/* Virtual time 0, on CLOCK_MONOTONIC. */
	__u64 origin_nanos;
	/* Virtual nanoseconds per nanosecond. */
	__u64 scale;
	/* The longest time since the origin that `scale` does not overflow: 2^64 - 1 over it. */
	__u64 elapsed_nanos_max;
	__u64 session_window_nanos;
	__u64 horizon_nanos;
	/* IPv6, or IPv4-mapped, as two words in memory order. */
	__u64 address[KLAIS_ADDRESSES_MAX][2];
	struct klais_keys master[KLAIS_KEY_SETS];
	struct klais_keys cookie[KLAIS_KEY_SETS];
	/* One bit per shard: another gateway's. */
	__u64 elsewhere[KLAIS_SHARD_WORDS];
};

/* Fixed when the program is loaded; code under a switch that is off is not even in the kernel. */
struct klais_options {
	/* The clock and the last outcome are klais_test's. */
	__u8 test;
};

/* Only with klais_options.test. */
struct klais_test {
	/* Virtual time. */
	__u64 now_nanos;
	/* enum klais_counter of the last packet. */
	__u32 outcome;
	__u32 reserved;
};

/* Key of the prefix trie. IPv4 is mapped: a /8 is a /104. */
struct klais_prefix {
	__u32 bits;
	__u64 address[2];
} __attribute__((packed, aligned(4)));

#endif
