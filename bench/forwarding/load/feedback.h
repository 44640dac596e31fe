// What a receiver reports by RTCP: receiver reports (RFC 3550), and the arrivals of all packets of a transport
// (draft-holmer-rmcat-transport-wide-cc-extensions-01), as browsers do.
#pragma once
#include <stddef.h>
#include <stdint.h>

/** A stream that is received. */
struct stream {
	uint32_t ssrc, clock_rate;
	/** The first sequence number, and the highest one, with the cycles. */
	uint32_t first, highest;
	uint64_t received, expected_before, received_before;
	double jitter;
	double transit;
	/** The middle of the NTP time of the last sender report, and when it came, in ns. */
	uint32_t sender_report;
	uint64_t sender_report_at;
};

/** Counts a packet that came at `at` ns. */
void count_packet(struct stream *stream, uint32_t sequence, uint32_t timestamp, uint64_t at);

/** How many packets are missing. */
uint64_t missing(const struct stream *stream);

size_t write_receiver_report(uint8_t *to, uint32_t ssrc, struct stream *streams, size_t count);

enum { most_arrivals = 512 };

/** The arrivals since the last report. */
struct arrivals {
	size_t count;
	uint8_t reports;
	struct { uint16_t sequence; uint64_t at; } all[most_arrivals];
};

void note_arrival(struct arrivals *arrivals, uint16_t sequence, uint64_t at);

/** Returns the length, 0 without arrivals. `to` has room for 2000 bytes. */
size_t write_transport_feedback(uint8_t *to, uint32_t ssrc, uint32_t media_ssrc, struct arrivals *arrivals);
