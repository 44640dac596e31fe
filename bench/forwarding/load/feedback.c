#include "feedback.h"
#include "bytes.h"
#include <string.h>

void count_packet(struct stream *stream, uint32_t sequence, uint32_t timestamp, uint64_t at) {
	if (stream->received++ == 0) {
		stream->first = stream->highest = sequence + 0x10000;
	} else {
		int16_t step = (int16_t)(sequence - stream->highest);
		if (step > 0) stream->highest += step;
	}
	double transit = at / 1e9 * stream->clock_rate - timestamp;
	double difference = transit - stream->transit;
	if (difference < 0) difference = -difference;
	// A timestamp that wraps around, or the first one.
	if (difference < stream->clock_rate) stream->jitter += (difference - stream->jitter) / 16;
	stream->transit = transit;
}

static uint64_t expected(const struct stream *stream) { return stream->highest - stream->first + 1; }

uint64_t missing(const struct stream *stream) {
	return expected(stream) > stream->received ? expected(stream) - stream->received : 0;
}

size_t write_receiver_report(uint8_t *to, uint32_t ssrc, struct stream *streams, size_t count) {
	uint8_t *at = to + 8;
	for (struct stream *stream = streams; stream < streams + count; stream++, at += 24) {
		uint64_t expects = expected(stream) - stream->expected_before;
		uint64_t receives = stream->received - stream->received_before;
		stream->expected_before += expects;
		stream->received_before += receives;
		uint64_t lost = expects > receives ? expects - receives : 0;
		put32(at, stream->ssrc);
		put32(at + 4, missing(stream) & 0xffffff);
		at[4] = expects > 0 ? lost * 256 / expects : 0;
		put32(at + 8, stream->highest - 0x10000);
		put32(at + 12, stream->jitter);
		put32(at + 16, stream->sender_report);
		put32(at + 20, stream->sender_report ? (now() - stream->sender_report_at) * 65536 / 1000000000 : 0);
	}
	to[0] = 0x80 | count;
	to[1] = 201;
	put16(to + 2, (at - to) / 4 - 1);
	put32(to + 4, ssrc);
	return at - to;
}

void note_arrival(struct arrivals *arrivals, uint16_t sequence, uint64_t at) {
	if (arrivals->count == most_arrivals) return;
	// Nothing overtakes on loopback.
	if (arrivals->count > 0 && (int16_t)(sequence - arrivals->all[arrivals->count - 1].sequence) <= 0) return;
	arrivals->all[arrivals->count].sequence = sequence;
	arrivals->all[arrivals->count++].at = at;
}

size_t write_transport_feedback(uint8_t *to, uint32_t ssrc, uint32_t media_ssrc, struct arrivals *arrivals) {
	if (arrivals->count == 0) return 0;
	uint16_t base = arrivals->all[0].sequence;
	uint16_t span = arrivals->all[arrivals->count - 1].sequence - base + 1;
	if (span > 2 * most_arrivals) span = 2 * most_arrivals;
	// Times are in units of 250 µs, after a reference in units of 64 ms.
	uint64_t reference = arrivals->all[0].at / 64000000;
	uint64_t before = reference * 256;
	uint8_t symbols[2 * most_arrivals + 7] = {0}, deltas[2 * most_arrivals];
	size_t size = 0;
	for (size_t index = 0; index < arrivals->count; index++) {
		uint16_t place = arrivals->all[index].sequence - base;
		if (place >= span) break;
		int64_t delta = arrivals->all[index].at / 250000 - before;
		before += delta;
		symbols[place] = delta >= 0 && delta < 256 ? 1 : 2;
		if (symbols[place] == 2) deltas[size++] = delta >> 8;
		deltas[size++] = delta;
	}
	put16(to + 12, base);
	put16(to + 14, span);
	put32(to + 16, reference << 8 | arrivals->reports++);
	uint8_t *at = to + 20;
	for (uint16_t place = 0; place < span; place += 7, at += 2) {
		uint32_t chunk = 3;
		for (int index = 0; index < 7; index++) chunk = chunk << 2 | symbols[place + index];
		put16(at, chunk);
	}
	memcpy(at, deltas, size);
	at += size;
	size_t padding = -(at - to) & 3;
	memset(at, 0, padding);
	at += padding;
	if (padding > 0) at[-1] = padding;
	to[0] = 0x80 | (padding > 0) << 5 | 15;
	to[1] = 205;
	put16(to + 2, (at - to) / 4 - 1);
	put32(to + 4, ssrc);
	put32(to + 8, media_ssrc);
	arrivals->count = 0;
	return at - to;
}
