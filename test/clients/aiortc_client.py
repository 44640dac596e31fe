"""aiortc as a client: see Client.ts for what its methods do."""

import asyncio
import fractions
import math
import struct

import aiortc
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, VideoStreamTrack
from av import AudioFrame, VideoFrame

from json_lines import serve

WIDTH, HEIGHT, FRAME_RATE = 320, 240, 15


class Camera(VideoStreamTrack):
    """A bright column that moves."""

    count = 0

    async def recv(self):
        await asyncio.sleep(1 / FRAME_RATE)
        frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane in frame.planes:
            row = bytearray([128] * plane.line_size)
            row[self.count * 4 % plane.width] = 235
            plane.update(bytes(row) * plane.height)
        frame.pts = self.count * 90000 // FRAME_RATE
        frame.time_base = fractions.Fraction(1, 90000)
        self.count += 1
        return frame


class Microphone(AudioStreamTrack):
    """A tone of 440 Hz."""

    async def recv(self):
        silence = await super().recv()
        frame = AudioFrame("s16", "mono", silence.samples)
        rate = silence.sample_rate
        tone = (
            int(8000 * math.sin(2 * math.pi * 440 * (silence.pts + index) / rate)) for index in range(silence.samples)
        )
        frame.planes[0].update(struct.pack(f"<{silence.samples}h", *tone))
        frame.pts, frame.sample_rate, frame.time_base = silence.pts, rate, silence.time_base
        return frame


class Connection:
    def __init__(self):
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.peer.on("track", lambda track: self.tasks.append(asyncio.ensure_future(self.count(track))))
        self.tasks = []
        self.frames = {"video": [], "audio": []}

    async def count(self, track):
        """Decoded frames, and of those of audio the ones that are not silent."""
        frames = self.frames[track.kind]
        index = len(frames)
        frames.append(0)
        try:
            while True:
                frame = await track.recv()
                if track.kind == "video" or any(bytes(frame.planes[0])):
                    frames[index] += 1
        except MediaStreamError:
            pass

    async def offer(self):
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return self.peer.localDescription.sdp

    async def offer_to_receive(self, kinds):
        for kind in kinds:
            self.peer.addTransceiver(kind, direction="recvonly")
        return await self.offer()

    async def answer(self, sdp):
        await self.peer.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await self.peer.setLocalDescription(await self.peer.createAnswer())
        return self.peer.localDescription.sdp

    def codec(self):
        for transceiver in self.peer.getTransceivers():
            if transceiver.kind == "video" and transceiver._codecs:
                return transceiver._codecs[0].name
        return ""


connections = {}


def add(connection):
    identity = str(len(connections))
    connections[identity] = connection
    return identity


def lacks(side):
    """For each video codec the reason why it cannot be used, or False."""
    names = {codec.name for codec in side.getCapabilities("video").codecs}
    return {codec: codec not in names and "it does not list it" for codec in ("VP8", "VP9", "H264", "AV1")}


async def about():
    version = ".".join(aiortc.__version__.split(".")[:2])
    return {"version": version, "send": lacks(RTCRtpSender), "receive": lacks(RTCRtpReceiver)}


async def create_pusher(options):
    connection = Connection()
    connection.peer.addTransceiver(Camera(), direction="sendonly").setCodecPreferences(
        [codec for codec in RTCRtpSender.getCapabilities("video").codecs if codec.name in (options["codec"], "rtx")]
    )
    connection.peer.addTransceiver(Microphone(), direction="sendonly")
    return {"id": add(connection), "offer": await connection.offer()}


async def create_puller(options):
    connection = Connection()
    return {"id": add(connection), "offer": await connection.offer_to_receive(options["kinds"])}


async def offer_again(identity, options):
    return await connections[identity].offer_to_receive(options["kinds"])


async def accept_answer(identity, sdp):
    await connections[identity].peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))


async def answer_offer(sdp):
    connection = Connection()
    return {"id": add(connection), "answer": await connection.answer(sdp)}


async def answer_again(identity, sdp):
    return await connections[identity].answer(sdp)


async def received(identity):
    connection = connections[identity]
    return {**connection.frames, "codec": connection.codec(), "fault": ""}


async def close(identity):
    await connections[identity].peer.close()


asyncio.run(
    serve(
        {
            "about": about,
            "createPusher": create_pusher,
            "createPuller": create_puller,
            "acceptAnswer": accept_answer,
            "answerOffer": answer_offer,
            "offerAgain": offer_again,
            "answerAgain": answer_again,
            "received": received,
            "close": close,
        }
    )
)
