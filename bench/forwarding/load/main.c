// WebRTC clients that push and pull, as load for an SFU on 127.0.0.1. Built and led by ../Load.ts: by lines on standard input,
// to each of which it answers by a line of JSON.
#define _GNU_SOURCE
#include "bytes.h"
#include "client.h"
#include "sender.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { most_clients = 2000, most_delays = 4 << 20, tick_interval = 10000000 };

static SSL_CTX *context;
static struct client *clients[most_clients];
static int client_count;
static struct sender sender;
static int poller;
static uint32_t *delays;
static size_t delay_count;

void delay_measured(uint64_t delay) {
	if (delay_count < most_delays) delays[delay_count++] = delay > UINT32_MAX ? UINT32_MAX : delay;
}

static int compare(const void *a, const void *b) {
	uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;
	return (one > other) - (one < other);
}

/** In ms. */
static double percentile(double share) {
	return delay_count == 0 ? 0 : delays[(size_t)((delay_count - 1) * share)] / 1e6;
}

static void watch(int descriptor, void *data) {
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = data};
	epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event);
}

static void tell(void) {
	uint64_t received = 0, lost = 0, drops = 0, least = UINT64_MAX;
	int connected = 0, failed = 0;
	for (int index = 0; index < client_count; index++) {
		struct client *client = clients[index];
		connected += client->connected;
		failed += client->has_failed;
		drops += dropped(client);
		uint64_t of_client = 0;
		for (size_t stream = 0; stream < client->stream_count; stream++) {
			of_client += client->streams[stream].received;
			lost += missing(&client->streams[stream]);
		}
		received += of_client;
		if (of_client < least) least = of_client;
	}
	qsort(delays, delay_count, sizeof *delays, compare);
	printf("{\"connected\":%d,\"failed\":%d,\"received\":%lu,\"least\":%lu,\"lost\":%lu,\"drops\":%lu,", connected, failed, received, client_count ? least : 0, lost, drops);
	printf("\"sent\":%lu,\"profile\":\"%s\",\"p50\":%.4f,\"p95\":%.4f,\"p99\":%.4f,\"delays\":%zu}\n", sender.audio.sent + sender.video.sent, srtp_profile, percentile(0.5), percentile(0.95), percentile(0.99), delay_count);
}

static void add(const char *line) {
	char own[256], other[256], password[256];
	int port, transport_cc;
	if (client_count == most_clients || sscanf(line, "add %255s %255s %255s %d %d", own, other, password, &port, &transport_cc) != 5) {
		puts("{\"error\":\"add: username, the server's username, its password, its port, the id of the extension\"}");
		return;
	}
	struct client *client = create_client(context, client_count, port);
	snprintf(client->username, sizeof client->username, "%s:%s", other, own);
	strcpy(client->password, password);
	client->transport_cc = transport_cc;
	clients[client_count++] = client;
	watch(client->socket, client);
	keep_alive(client, now());
	puts("{}");
}

/** Sends by the last client that was added. */
static void start(const char *line) {
	sender.client = clients[client_count - 1];
	sscanf(line, "send %u %u %lf %d %lf %d %d", &sender.audio.ssrc, &sender.video.ssrc, &sender.audio_rate, &sender.audio_payload, &sender.video_rate, &sender.video_payload, &sender.packets_per_frame);
	sender.audio.payload_type = 111;
	sender.video.payload_type = 96;
	puts("{}");
}

static void command(const char *line) {
	if (!strncmp(line, "add ", 4)) add(line);
	else if (!strncmp(line, "send ", 5)) start(line);
	else if (!strcmp(line, "tell")) tell();
	else if (!strcmp(line, "forget")) {
		delay_count = 0;
		puts("{}");
	} else puts("{\"error\":\"an unknown command\"}");
	fflush(stdout);
}

static void read_commands(void) {
	static char buffer[1 << 16];
	static size_t filled;
	ssize_t length = read(STDIN_FILENO, buffer + filled, sizeof buffer - filled - 1);
	if (length <= 0) exit(0);
	filled += length;
	buffer[filled] = 0;
	char *begin = buffer, *end;
	while ((end = strchr(begin, '\n'))) {
		*end = 0;
		command(begin);
		begin = end + 1;
	}
	filled -= begin - buffer;
	memmove(buffer, begin, filled);
}

static void set_timer(int timer, uint64_t at) {
	struct itimerspec time = {.it_value = {at / 1000000000, at % 1000000000}};
	timerfd_settime(timer, TFD_TIMER_ABSTIME, &time, NULL);
}

int main(void) {
	srand(now());
	srtp_init();
	context = create_context();
	delays = malloc(most_delays * sizeof *delays);
	poller = epoll_create1(0);
	int timer = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	int on_command, on_timer;
	watch(STDIN_FILENO, &on_command);
	watch(timer, &on_timer);
	char fingerprint[97];
	write_fingerprint(context, fingerprint);
	printf("{\"fingerprint\":\"%s\"}\n", fingerprint);
	fflush(stdout);
	uint64_t tick_at = now();
	for (;;) {
		uint64_t at = now();
		uint64_t send_at = sender.client ? send_due(&sender, at) : 0;
		if (tick_at <= at) {
			for (int index = 0; index < client_count; index++) keep_alive(clients[index], at);
			tick_at = at + tick_interval;
		}
		set_timer(timer, send_at > 0 && send_at < tick_at ? send_at : tick_at);
		struct epoll_event events[64];
		int count = epoll_wait(poller, events, 64, -1);
		for (int index = 0; index < count; index++) {
			void *source = events[index].data.ptr;
			uint64_t expirations;
			if (source == &on_command) read_commands();
			else if (source != &on_timer) read_packets(source);
			else if (read(timer, &expirations, sizeof expirations) < 0) continue;
		}
	}
}
