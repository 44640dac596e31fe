// When the pusher sends what.
#pragma once
#include "client.h"
#include "packet.h"

struct sender {
	struct client *client;
	struct track audio, video;
	/** Packets of audio in a second, and frames of video; 0 for none. */
	double audio_rate, video_rate;
	int audio_payload, video_payload, packets_per_frame;
	uint64_t audio_at, video_at;
	int picture;
};

/** Sends what is due, and returns when the next packet is, in ns; 0 for never. */
uint64_t send_due(struct sender *sender, uint64_t at);
