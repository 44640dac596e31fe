#include "packet.h"
#include "bytes.h"
#include <string.h>

enum { mark = 0x53465542, header_size = 12 };

uint64_t read_time(const uint8_t *payload, int length) {
	return length >= 12 && get32(payload + length - 12) == mark ? get64(payload + length - 8) : 0;
}

static int write_packet(uint8_t *to, struct track *track, int payload, int marker) {
	to[0] = 0x80;
	to[1] = track->payload_type | marker << 7;
	put16(to + 2, track->sequence++);
	put32(to + 4, track->timestamp);
	put32(to + 8, track->ssrc);
	put32(to + header_size + payload - 12, mark);
	put64(to + header_size + payload - 8, now());
	track->sent++;
	return header_size + payload;
}

int write_audio(uint8_t *to, struct track *track, int payload, uint32_t step) {
	// One frame of 20 ms of CELT in stereo.
	memset(to + header_size, 0x5a, payload);
	to[header_size] = 0xfc;
	track->timestamp += step;
	return write_packet(to, track, payload, 0);
}

int write_video(uint8_t *to, struct track *track, int payload, int picture, int is_key, int is_first, int is_last) {
	uint8_t *at = to + header_size;
	memset(at, 0x5a, payload);
	// The payload descriptor (RFC 7741, section 4.2): the start of a partition, and the number of the picture in 15 bits.
	at[0] = is_first ? 0x90 : 0x80;
	at[1] = 0x80;
	put16(at + 2, 0x8000 | (picture & 0x7fff));
	if (is_first) {
		// The frame header (RFC 6386, section 9.1): a shown frame, and its size if it is a keyframe, 640 by 360.
		static const uint8_t key[10] = {0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01};
		static const uint8_t delta[3] = {0x11, 0x02, 0x00};
		memcpy(at + 4, is_key ? key : delta, is_key ? sizeof key : sizeof delta);
	}
	return write_packet(to, track, payload, is_last);
}
