#define _GNU_SOURCE
#include "client.h"
#include "bytes.h"
#include "packet.h"
#include "stun.h"
#include <arpa/inet.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { payload_type_of_probes = 127, payload_type_of_opus = 111, header_size = 12 };
enum { retry_interval = 200000000, consent_interval = 2500000000u, report_interval = 1000000000, feedback_interval = 100000000 };

const char *srtp_profile = "";

struct client *create_client(SSL_CTX *context, int id, int port) {
	struct client *client = calloc(1, sizeof *client);
	client->id = id;
	client->socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int on = 1;
	setsockopt(client->socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	if (connect(client->socket, (struct sockaddr *)&address, sizeof address)) {
		perror("a client cannot connect");
		exit(1);
	}
	client->session = create_session(context);
	client->ssrc = 1 + id;
	// So that not all report at the same time.
	client->report_at = now() + rand() % report_interval;
	client->feedback_at = now() + rand() % feedback_interval;
	return client;
}

static void write_datagram(struct client *client, const void *data, size_t length) {
	// The network may lose it.
	ssize_t sent = send(client->socket, data, length, 0);
	(void)sent;
}

static void send_rtcp(struct client *client, uint8_t *packet, int length) {
	if (!srtp_protect_rtcp(client->outgoing, packet, &length)) write_datagram(client, packet, length);
}

void send_rtp(struct client *client, uint8_t *packet, int length) {
	if (!srtp_protect(client->outgoing, packet, &length)) write_datagram(client, packet, length);
}

static void shake_hands(struct client *client) {
	int result = SSL_do_handshake(client->session);
	char flight[8192];
	int length;
	while ((length = BIO_read(SSL_get_wbio(client->session), flight, sizeof flight)) > 0) write_datagram(client, flight, length);
	if (result == 1 && !client->connected) {
		const char *profile = create_srtp(client->session, &client->incoming, &client->outgoing);
		client->connected = profile != NULL;
		client->has_failed = !client->connected;
		if (profile) srtp_profile = profile;
	} else if (result != 1 && SSL_get_error(client->session, result) == SSL_ERROR_SSL) {
		client->has_failed = true;
	}
}

static struct stream *find_stream(struct client *client, uint32_t ssrc, int payload_type) {
	for (size_t index = 0; index < client->stream_count; index++) {
		if (client->streams[index].ssrc == ssrc) return &client->streams[index];
	}
	if (client->stream_count == most_streams) return NULL;
	struct stream *stream = &client->streams[client->stream_count++];
	stream->ssrc = ssrc;
	stream->clock_rate = payload_type == payload_type_of_opus ? 48000 : 90000;
	return stream;
}

/** Notes the number of a packet on its transport. Returns where the payload begins. */
static int read_extensions(struct client *client, const uint8_t *packet, int length, uint64_t at) {
	int begin = header_size + 4 * (packet[0] & 15);
	if (!(packet[0] & 16) || begin + 4 > length) return begin;
	int end = begin + 4 + 4 * get16(packet + begin + 2);
	if (end > length) return length;
	if (get16(packet + begin) != 0xbede) return end;
	for (int place = begin + 4; place < end;) {
		if (packet[place] == 0) {
			place++;
			continue;
		}
		if (packet[place] >> 4 == client->transport_cc) note_arrival(&client->arrivals, get16(packet + place + 1), at);
		place += 2 + (packet[place] & 15);
	}
	return end;
}

static void read_rtp(struct client *client, uint8_t *packet, int length, uint64_t at) {
	if (srtp_unprotect(client->incoming, packet, &length)) return;
	int begin = read_extensions(client, packet, length, at);
	int payload_type = packet[1] & 127;
	client->media_ssrc = get32(packet + 8);
	if (payload_type == payload_type_of_probes) return;
	struct stream *stream = find_stream(client, client->media_ssrc, payload_type);
	if (!stream) return;
	count_packet(stream, get16(packet + 2), get32(packet + 4), at);
	uint64_t sent_at = read_time(packet + begin, length - begin);
	if (sent_at > 0 && at > sent_at) delay_measured(at - sent_at);
}

static void read_rtcp(struct client *client, uint8_t *packet, int length, uint64_t at) {
	if (srtp_unprotect_rtcp(client->incoming, packet, &length)) return;
	for (int place = 0; place + 8 <= length; place += 4 + 4 * get16(packet + place + 2)) {
		int type = packet[place + 1], format = packet[place] & 31;
		if (type == 206 && (format == 1 || format == 4)) client->wants_keyframe = true;
		if (type != 200 || place + 20 > length) continue;
		for (size_t index = 0; index < client->stream_count; index++) {
			struct stream *stream = &client->streams[index];
			if (stream->ssrc != get32(packet + place + 4)) continue;
			stream->sender_report = get32(packet + place + 10);
			stream->sender_report_at = at;
		}
	}
}

static void read_datagram(struct client *client, uint8_t *data, int length, uint64_t at) {
	if (length < 2) return;
	if (data[0] < 4) {
		if (client->answered || get16(data) != 0x0101) return;
		client->answered = true;
		shake_hands(client);
	} else if (data[0] >= 20 && data[0] < 64) {
		BIO_write(SSL_get_rbio(client->session), data, length);
		shake_hands(client);
	} else if (client->connected && length >= header_size) {
		if (data[1] >= 192 && data[1] < 224) read_rtcp(client, data, length, at);
		else read_rtp(client, data, length, at);
	}
}

void read_packets(struct client *client) {
	enum { batch = 16 };
	static uint8_t buffers[batch][most_client_packet], controls[batch][64];
	static struct iovec vectors[batch];
	static struct mmsghdr messages[batch];
	int count;
	do {
		for (int index = 0; index < batch; index++) {
			vectors[index] = (struct iovec){buffers[index], most_client_packet};
			messages[index].msg_hdr = (struct msghdr){.msg_iov = &vectors[index], .msg_iovlen = 1, .msg_control = controls[index], .msg_controllen = 64};
		}
		count = recvmmsg(client->socket, messages, batch, 0, NULL);
		for (int index = 0; index < count; index++) {
			uint64_t at = 0;
			struct cmsghdr *control = CMSG_FIRSTHDR(&messages[index].msg_hdr);
			if (control && control->cmsg_type == SCM_TIMESTAMPNS) {
				struct timespec time;
				memcpy(&time, CMSG_DATA(control), sizeof time);
				at = time.tv_sec * 1000000000ull + time.tv_nsec;
			}
			read_datagram(client, buffers[index], messages[index].msg_len, at);
		}
	} while (count == batch);
}

static bool is_due(uint64_t *due, uint64_t at, uint64_t interval) {
	if (at < *due) return false;
	*due = at + interval;
	return true;
}

void keep_alive(struct client *client, uint64_t at) {
	uint8_t packet[2200];
	if (client->answered ? is_due(&client->consent_at, at, consent_interval) : is_due(&client->retry_at, at, retry_interval)) {
		write_datagram(client, packet, write_binding_request(packet, client->username, client->password));
	}
	if (!client->connected) {
		if (client->answered && DTLSv1_handle_timeout(client->session) > 0) shake_hands(client);
		return;
	}
	if (client->stream_count > 0 && is_due(&client->report_at, at, report_interval)) {
		send_rtcp(client, packet, write_receiver_report(packet, client->ssrc, client->streams, client->stream_count));
	}
	if (client->transport_cc > 0 && is_due(&client->feedback_at, at, feedback_interval)) {
		size_t length = write_transport_feedback(packet, client->ssrc, client->media_ssrc, &client->arrivals);
		if (length > 0) send_rtcp(client, packet, length);
	}
}

uint32_t dropped(const struct client *client) {
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t size = sizeof info;
	getsockopt(client->socket, SOL_SOCKET, SO_MEMINFO, info, &size);
	return info[SK_MEMINFO_DROPS];
}
