// Numbers in network order, and the clock.
#pragma once
#include <stdint.h>
#include <time.h>

static inline void put16(uint8_t *at, uint32_t value) { at[0] = value >> 8; at[1] = value; }
static inline void put32(uint8_t *at, uint32_t value) { put16(at, value >> 16); put16(at + 2, value); }
static inline void put64(uint8_t *at, uint64_t value) { put32(at, value >> 32); put32(at + 4, value); }
static inline uint32_t get16(const uint8_t *at) { return at[0] << 8 | at[1]; }
static inline uint32_t get32(const uint8_t *at) { return get16(at) << 16 | get16(at + 2); }
static inline uint64_t get64(const uint8_t *at) { return (uint64_t)get32(at) << 32 | get32(at + 4); }

/** The time in ns since 1970: the clock by which the kernel stamps packets. */
static inline uint64_t now(void) {
	struct timespec time;
	clock_gettime(CLOCK_REALTIME, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}
