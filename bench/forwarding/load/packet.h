// The RTP packets of the pusher. Each ends with the time at which it was sent.
#pragma once
#include <stdint.h>

/** The time in ns at the end of a payload, 0 without. */
uint64_t read_time(const uint8_t *payload, int length);

struct track {
	uint32_t ssrc;
	int payload_type;
	uint16_t sequence;
	uint32_t timestamp;
	uint64_t sent;
};

/** Writes a packet of Opus with a payload of so many bytes. Returns its length. */
int write_audio(uint8_t *to, struct track *track, int payload, uint32_t step);

/** Writes a packet of a frame of VP8. */
int write_video(uint8_t *to, struct track *track, int payload, int picture, int is_key, int is_first, int is_last);
