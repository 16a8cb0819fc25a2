/* SPDX-License-Identifier: MIT */
/*
 * SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012), with 64 and 128 bits of output (the
 * authors' reference code of 2014), over messages of whole 64-bit words. All of it is straight-line code: the state stays in
 * registers, and the verifier has no loop to walk.
 */
#ifndef KLAIS_SIPHASH_H
#define KLAIS_SIPHASH_H

#include "klais.h"

struct klais_sip {
	__u64 v0, v1, v2, v3;
};

/* A key, or a tag of 128 bits, as two little-endian words. */
struct klais_words {
	__u64 low, high;
};

#define KLAIS_ROTATE(word, bits) (((word) << (bits)) | ((word) >> (64 - (bits))))

static __always_inline void klais_sip_round(struct klais_sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = KLAIS_ROTATE(s->v1, 13) ^ s->v0;
	s->v3 = KLAIS_ROTATE(s->v3, 16) ^ s->v2;
	s->v0 = KLAIS_ROTATE(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = KLAIS_ROTATE(s->v1, 17) ^ s->v2;
	s->v3 = KLAIS_ROTATE(s->v3, 21) ^ s->v0;
	s->v2 = KLAIS_ROTATE(s->v2, 32);
}

static __always_inline struct klais_sip klais_sip_new(struct klais_words key)
{
	struct klais_sip s = {
		key.low ^ 0x736f6d6570736575ULL,
		key.high ^ 0x646f72616e646f6dULL,
		key.low ^ 0x6c7967656e657261ULL,
		key.high ^ 0x7465646279746573ULL,
	};
	return s;
}

static __always_inline struct klais_sip klais_sip_new_wide(struct klais_words key)
{
	struct klais_sip s = klais_sip_new(key);
	s.v1 ^= 0xee;
	return s;
}

static __always_inline void klais_sip_word(struct klais_sip *s, __u64 word)
{
	s->v3 ^= word;
	klais_sip_round(s);
	klais_sip_round(s);
	s->v0 ^= word;
}

static __always_inline void klais_sip_four_rounds(struct klais_sip *s)
{
	klais_sip_round(s);
	klais_sip_round(s);
	klais_sip_round(s);
	klais_sip_round(s);
}

static __always_inline __u64 klais_sip_fold(const struct klais_sip *s)
{
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

/* 64 bits for a message of `bytes`, a multiple of 8, whose words have gone in. */
static __always_inline __u64 klais_sip_end(struct klais_sip *s, __u64 bytes)
{
	klais_sip_word(s, bytes << 56);
	s->v2 ^= 0xff;
	klais_sip_four_rounds(s);
	return klais_sip_fold(s);
}

/* The same with 128 bits. */
static __always_inline struct klais_words klais_sip_end_wide(struct klais_sip *s, __u64 bytes)
{
	struct klais_words tag;

	klais_sip_word(s, bytes << 56);
	s->v2 ^= 0xee;
	klais_sip_four_rounds(s);
	tag.low = klais_sip_fold(s);
	s->v1 ^= 0xdd;
	klais_sip_four_rounds(s);
	tag.high = klais_sip_fold(s);
	return tag;
}

#endif
