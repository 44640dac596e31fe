#include "sender.h"
#include "bytes.h"

enum { keyframe_interval = 150 };

static void send_frame(struct sender *sender) {
	uint8_t packet[most_client_packet + 64];
	struct client *client = sender->client;
	int is_key = sender->picture % keyframe_interval == 0 || client->wants_keyframe;
	client->wants_keyframe = false;
	sender->video.timestamp += 90000 / sender->video_rate;
	for (int index = 0; index < sender->packets_per_frame; index++) {
		int is_last = index == sender->packets_per_frame - 1;
		int length = write_video(packet, &sender->video, sender->video_payload, sender->picture, is_key, index == 0, is_last);
		send_rtp(client, packet, length);
	}
	sender->picture++;
}

static void send_audio(struct sender *sender) {
	uint8_t packet[most_client_packet + 64];
	int length = write_audio(packet, &sender->audio, sender->audio_payload, 48000 / sender->audio_rate);
	send_rtp(sender->client, packet, length);
}

/** Who has been kept from sending for longer than this does not catch up, in ns. */
static const uint64_t longest_burst = 20000000;

static uint64_t send_track(struct sender *sender, void (*send)(struct sender *), double rate, uint64_t *due, uint64_t at) {
	if (rate <= 0) return 0;
	if (*due + longest_burst < at) *due = at;
	while (*due <= at) {
		send(sender);
		*due += 1e9 / rate;
	}
	return *due;
}

uint64_t send_due(struct sender *sender, uint64_t at) {
	if (!sender->client->connected) return 0;
	uint64_t audio = send_track(sender, send_audio, sender->audio_rate, &sender->audio_at, at);
	uint64_t video = send_track(sender, send_frame, sender->video_rate, &sender->video_at, at);
	return audio == 0 || (video > 0 && video < audio) ? video : audio;
}
