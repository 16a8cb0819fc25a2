/* SPDX-License-Identifier: MIT */
/* Keys: which one a frame was signed under, what is derived from it, and what cookies are signed with. */
#ifndef KLAIS_KEYS_H
#define KLAIS_KEYS_H

#include "maps.h"
#include "siphash.h"

/* "kdev", as the high half of a little-endian word. */
#define KLAIS_KEY_PURPOSE (0x7665646bULL << 32)

/* A key set that no rotation overwrites while this packet is looked at. */
static __always_inline const volatile struct klais_keys *klais_master_keys(void)
{
	return &klais_config.master[klais_config.master_index % KLAIS_KEY_SETS];
}

static __always_inline const volatile struct klais_keys *klais_cookie_keys(void)
{
	return &klais_config.cookie[klais_config.cookie_index % KLAIS_KEY_SETS];
}

static __always_inline struct klais_words klais_present(const volatile struct klais_keys *keys)
{
	struct klais_words key = { keys->present[0], keys->present[1] };
	return key;
}

static __always_inline struct klais_words klais_previous(const volatile struct klais_keys *keys)
{
	struct klais_words key = { keys->previous[0], keys->previous[1] };
	return key;
}

/* The device's key under the master key of this number; false if that is neither the present nor the previous one. */
static __always_inline bool klais_device_key(__u32 device_in_network_order, __u8 epoch, struct klais_words *key)
{
	const volatile struct klais_keys *keys = klais_master_keys();
	struct klais_sip sip;

	if (epoch == keys->present_epoch)
		*key = klais_present(keys);
	else if (keys->has_previous && epoch == keys->previous_epoch)
		*key = klais_previous(keys);
	else
		return false;
	sip = klais_sip_new_wide(*key);
	klais_sip_word(&sip, device_in_network_order | KLAIS_KEY_PURPOSE);
	*key = klais_sip_end_wide(&sip, 8);
	return true;
}

static __always_inline __u64 klais_cookie_mac(struct klais_words key, __u8 epoch, __u32 device, __u32 slot)
{
	struct klais_sip sip = klais_sip_new(key);

	klais_sip_word(&sip, device | (__u64)slot << 32);
	klais_sip_word(&sip, epoch);
	return klais_sip_end(&sip, 16);
}

static __always_inline __u64 klais_sign_cookie(__u32 device, __u32 slot)
{
	const volatile struct klais_keys *keys = klais_cookie_keys();

	return klais_cookie_mac(klais_present(keys), keys->present_epoch, device, slot);
}

/* Whether the cookie is this device's, under the present or the previous key. */
static __always_inline bool klais_verify_cookie(__u32 device, __u32 slot, __u64 mac)
{
	const volatile struct klais_keys *keys = klais_cookie_keys();

	if (klais_cookie_mac(klais_present(keys), keys->present_epoch, device, slot) == mac)
		return true;
	return keys->has_previous &&
	       klais_cookie_mac(klais_previous(keys), keys->previous_epoch, device, slot) == mac;
}

#endif
