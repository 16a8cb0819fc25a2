/* SPDX-License-Identifier: MIT */
/* A frame's bytes, version 1, checked in the order of docs/protocol.md. */
#ifndef KLAIS_WIRE_H
#define KLAIS_WIRE_H

#include "dam.h"
#include "hello.h"
#include "parse.h"

#define KLAIS_VERSION 1
#define KLAIS_TYPE_HELLO 1
#define KLAIS_TYPE_DEFER 3
#define KLAIS_TYPE_DATA 5
#define KLAIS_TYPE_BYE 8
#define KLAIS_HEADER_AND_MAC_BYTES 28
#define KLAIS_HELLO_BYTES 56
#define KLAIS_DEFER_BYTES 48
#define KLAIS_DATA_BYTES 48
#define KLAIS_FRAME_BYTES_MAX 1400
/* The cookie of a HELLO, the gap of a DATA. */
#define KLAIS_FLAG 1

/* What both kinds of frame begin with. */
struct klais_header {
	__u8 version;
	__u8 type;
	__be16 length;
	__be32 device;
	__be16 session;
	__u8 key_epoch;
	__u8 flags;
};

struct klais_data {
	struct klais_header header;
	__u8 lane;
	/* Round in bits 0 and 1, term above: any value is right. */
	__u8 round_and_term;
	__be16 count;
	__be32 prev;
	__be32 first;
	__be16 stride;
	__be16 reading_bytes;
	__be32 due_millis;
};

/* What an answer repeats of the HELLO. */
struct klais_asker {
	struct klais_words key;
	__be32 device;
	__be16 session;
	__u8 key_epoch;
};

/* A word of a frame, wherever it lies: x86 and arm64 load it at any alignment, and so does the verifier let them. */
static __always_inline __u64 klais_word_at(const void *frame, __u32 offset)
{
	return *(const volatile __u64 *)(frame + offset);
}

/* KLAIS_PASS_HELLO or KLAIS_PASS_DATA for what is to be looked at further, or a reason. */
static __always_inline enum klais_counter klais_check_header(const struct klais_header *header, __u32 bytes)
{
	__u8 type = header->type;

	if (header->version != KLAIS_VERSION)
		return KLAIS_DROP_VERSION;
	if (type != KLAIS_TYPE_HELLO && type != KLAIS_TYPE_DATA)
		return type == 0 || type > KLAIS_TYPE_BYE ? KLAIS_DROP_TYPE : KLAIS_DROP_MISDIRECTED;
	if (bpf_ntohs(header->length) != bytes)
		return KLAIS_DROP_LENGTH;
	if (type == KLAIS_TYPE_HELLO)
		return bytes == KLAIS_HELLO_BYTES ? KLAIS_PASS_HELLO : KLAIS_DROP_LENGTH;
	return bytes >= KLAIS_DATA_BYTES && bytes <= KLAIS_FRAME_BYTES_MAX ? KLAIS_PASS_DATA : KLAIS_DROP_LENGTH;
}

/* Another gateway serves the device's shard. */
static __always_inline bool klais_is_elsewhere(__u32 device)
{
	__u32 shards = klais_config.shards, shard;

	if (shards == 0)
		return false;
	shard = device % shards;
	return klais_config.elsewhere[shard / 64 % KLAIS_SHARD_WORDS] >> shard % 64 & 1;
}

/* Fields of DATA, then the dam. Its MAC is user space's to verify: the payload would cost more than the answer is worth. */
static __always_inline enum klais_counter klais_on_data(const struct klais_data *data, __u32 bytes, __u32 *readings)
{
	__u32 count = bpf_ntohs(data->count), reading_bytes = bpf_ntohs(data->reading_bytes);
	__u32 device = bpf_ntohl(data->header.device);
	enum klais_counter verdict;
	enum klais_class class;
	__u8 lane = data->lane;

	if (count * reading_bytes != bytes - KLAIS_DATA_BYTES)
		return KLAIS_DROP_LENGTH;
	if ((count == 0) != (reading_bytes == 0) || data->header.flags & ~KLAIS_FLAG || lane > 1)
		return KLAIS_DROP_FIELD;
	*readings = count;
	verdict = klais_knows(device);
	if (verdict != KLAIS_PASS_DATA)
		return verdict;
	if (klais_is_elsewhere(device))
		return KLAIS_PASS_ELSEWHERE;
	if (count == 0)
		return KLAIS_PASS_KEEP_ALIVE;
	class = lane == 0 ? KLAIS_LIVE : klais_config.slots ? KLAIS_RESERVED : KLAIS_BACKFILL;
	return klais_admit(klais_units(klais_now()), device, class, count);
}

/* Fields of a HELLO; fills in what the dam and an answer need. */
static __always_inline enum klais_counter klais_read_hello(const void *frame, struct klais_hello *hello,
							   struct klais_asker *asker)
{
	__u64 second = klais_word_at(frame, 8), slot = klais_word_at(frame, 24), mac = klais_word_at(frame, 32);
	__u8 flags = second >> 24;

	asker->device = klais_word_at(frame, 0) >> 32;
	asker->session = second;
	asker->key_epoch = second >> 16;
	hello->device = bpf_ntohl(asker->device);
	hello->attempt = (__u32)bpf_ntohs((__u16)(second >> 32)) << 16 | bpf_ntohs(asker->session);
	hello->has_cookie = flags & KLAIS_FLAG;
	hello->cookie_slot = bpf_ntohl((__u32)slot);
	hello->cookie_mac = bpf_be64_to_cpu(mac);
	if (flags & ~KLAIS_FLAG || (!flags && ((__u32)slot | mac) != 0))
		return KLAIS_DROP_FIELD;
	/* A copy of what another gateway was asked would be new here, and take up a slot. */
	if (klais_config.gateway && klais_config.gateway != slot >> 32)
		return KLAIS_DROP_MISDIRECTED;
	return KLAIS_PASS_HELLO;
}

/* Whether the device, or whoever else has its key, signed the HELLO. */
static __always_inline bool klais_verify_hello(const void *frame, struct klais_words key)
{
	struct klais_sip sip = klais_sip_new_wide(key);
	struct klais_words tag;

	klais_sip_word(&sip, klais_word_at(frame, 0));
	klais_sip_word(&sip, klais_word_at(frame, 8));
	klais_sip_word(&sip, klais_word_at(frame, 16));
	klais_sip_word(&sip, klais_word_at(frame, 24));
	klais_sip_word(&sip, klais_word_at(frame, 32));
	tag = klais_sip_end_wide(&sip, 40);
	/* One comparison: its time does not tell how much was right. */
	return ((tag.low ^ klais_word_at(frame, 40)) | (tag.high ^ klais_word_at(frame, 48))) == 0;
}

/* Fields of a HELLO, whether its device is known, its MAC, then the dam: the cheap before the dear. */
static __always_inline enum klais_counter klais_on_hello(const void *frame, struct klais_asker *asker,
							 struct klais_promise *promise)
{
	struct klais_hello hello;
	enum klais_counter verdict = klais_read_hello(frame, &hello, asker);

	if (verdict != KLAIS_PASS_HELLO)
		return verdict;
	verdict = klais_knows(hello.device);
	if (verdict != KLAIS_PASS_DATA)
		return verdict;
	if (!klais_device_key(asker->device, asker->key_epoch, &asker->key))
		return KLAIS_DROP_KEY_EPOCH;
	if (!klais_verify_hello(frame, asker->key))
		return KLAIS_DROP_MAC;
	if (klais_is_elsewhere(hello.device))
		return KLAIS_PASS_ELSEWHERE;
	return klais_answer_hello(&hello, promise);
}

#endif
