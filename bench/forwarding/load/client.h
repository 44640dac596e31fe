// A WebRTC client: ICE, DTLS, SRTP.
#pragma once
#include "dtls.h"
#include "feedback.h"
#include <stdbool.h>

enum { most_streams = 4, most_client_packet = 2048 };

struct client {
	int id, socket;
	char username[520], password[256];
	/** The id of the header extension with the number of a packet on the transport, 0 without. */
	int transport_cc;
	SSL *session;
	bool answered, connected, has_failed;
	srtp_t incoming, outgoing;
	uint32_t ssrc;
	struct stream streams[most_streams];
	size_t stream_count;
	struct arrivals arrivals;
	uint32_t media_ssrc;
	uint64_t retry_at, consent_at, report_at, feedback_at;
	/** Whether a keyframe has been asked for. */
	bool wants_keyframe;
};

/** The name of the profile of SRTP of the last client that has connected. */
extern const char *srtp_profile;

/** The time that a packet has taken, in ns. Called for each packet that tells when it was sent. */
extern void delay_measured(uint64_t delay);

/** Connects to a port of 127.0.0.1. */
struct client *create_client(SSL_CTX *context, int id, int port);

/** Reads all that has come. */
void read_packets(struct client *client);

/** Does what is due: requests, reports, retransmissions. */
void keep_alive(struct client *client, uint64_t at);

/** Encrypts and sends a packet. `packet` has room for the tag of SRTP behind it. */
void send_rtp(struct client *client, uint8_t *packet, int length);

/** How many packets the kernel has dropped because they were not read in time. */
uint32_t dropped(const struct client *client);
