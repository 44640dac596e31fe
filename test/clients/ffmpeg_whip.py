"""FFmpeg's WHIP muxer, by PyAV: pushes a file as it is, again and again, in real time. Arguments: file, URL, token, and
options of the muxer as key=value."""

import sys
import time

import av

source, url, token, *options = sys.argv[1:]
if "whip" not in av.formats_available:
    raise ImportError("this FFmpeg has no WHIP muxer")
if not source:
    sys.exit(0)
settings = {"authorization": token, **dict(option.split("=", 1) for option in options)}
with av.open(url, "w", format="whip", options=settings) as output:
    started = time.monotonic()
    offset = 0.0
    streams = None
    while True:
        with av.open(source) as file:
            if streams is None:
                streams = [output.add_stream_from_template(stream) for stream in file.streams]
            length = 0.0
            for packet in file.demux():
                if packet.dts is None:
                    continue
                at = offset + float(packet.dts * packet.time_base)
                length = max(length, at - offset + 0.02)
                shift = round(offset / packet.time_base)
                packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                packet.stream = streams[packet.stream.index]
                time.sleep(max(0.0, started + at - time.monotonic()))
                output.mux(packet)
            offset += length
