#include "stun.h"
#include "bytes.h"
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

enum { username_attribute = 0x0006, integrity = 0x0008, priority = 0x0024, use_candidate = 0x0025, fingerprint = 0x8028, controlling = 0x802a };

static uint32_t crc32(const uint8_t *data, size_t length) {
	uint32_t crc = ~0u;
	for (size_t index = 0; index < length; index++) {
		crc ^= data[index];
		for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
	}
	return ~crc;
}

static uint8_t *attribute(uint8_t *at, uint32_t type, const void *value, uint32_t length) {
	put16(at, type);
	put16(at + 2, length);
	memset(at + 4, 0, (length + 3) & ~3u);
	if (value) memcpy(at + 4, value, length);
	return at + 4 + ((length + 3) & ~3u);
}

size_t write_binding_request(uint8_t *to, const char *username, const char *password) {
	static const uint8_t highest[4] = {0x6e, 0x7f, 0xff, 0xff}, tie[8] = {1};
	put16(to, 0x0001);
	put32(to + 4, 0x2112a442);
	RAND_bytes(to + 8, 12);
	uint8_t *end = to + 20;
	end = attribute(end, username_attribute, username, strlen(username));
	end = attribute(end, controlling, tie, sizeof tie);
	end = attribute(end, priority, highest, sizeof highest);
	end = attribute(end, use_candidate, NULL, 0);
	// The length counts what is signed, and the signature.
	put16(to + 2, end - to - 20 + 24);
	uint8_t digest[20];
	HMAC(EVP_sha1(), password, strlen(password), to, end - to, digest, NULL);
	end = attribute(end, integrity, digest, sizeof digest);
	put16(to + 2, end - to - 20 + 8);
	uint8_t check[4];
	put32(check, crc32(to, end - to) ^ 0x5354554e);
	end = attribute(end, fingerprint, check, sizeof check);
	return end - to;
}
