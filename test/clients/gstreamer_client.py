"""GStreamer's webrtcbin as a client: see Client.ts for what its methods do."""

import asyncio
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import Gst, GstSdp, GstVideo, GstWebRTC  # noqa: E402

from json_lines import serve  # noqa: E402

Gst.init(None)
for needed in ("webrtcbin", "nicesrc", "vp8enc", "rtpvp8pay", "opusenc"):
    if not Gst.ElementFactory.find(needed):
        raise ImportError(f"there is no {needed}")

SEND = {
    "VP8": "vp8enc deadline=1 keyframe-max-dist=60 target-bitrate=300000 ! rtpvp8pay picture-id-mode=2 pt=96",
    "VP9": "vp9enc deadline=1 cpu-used=8 keyframe-max-dist=60 target-bitrate=300000 ! rtpvp9pay picture-id-mode=2 pt=96",
    "H264": "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=60 bitrate=300 "
    "! video/x-h264,profile=constrained-baseline ! rtph264pay config-interval=-1 aggregate-mode=zero-latency pt=96",
    "AV1": "av1enc cpu-used=8 usage-profile=realtime target-bitrate=300 ! av1parse ! rtpav1pay pt=96",
}
RECEIVE = {
    "VP8": "rtpvp8depay request-keyframe=true wait-for-keyframe=true ! vp8dec",
    "VP9": "rtpvp9depay request-keyframe=true wait-for-keyframe=true ! vp9dec",
    # Of frames in several slices openh264dec shows none unless they come to the parser as AVC.
    "H264": "rtph264depay request-keyframe=true wait-for-keyframe=true ! video/x-h264,stream-format=avc,alignment=au "
    "! h264parse ! openh264dec",
    "AV1": "rtpav1depay ! av1dec",
}
RECEIVE_AUDIO = "rtpopusdepay ! opusdec plc=false"
SEND_AUDIO = "audiotestsrc is-live=true ! opusenc ! rtpopuspay pt=97"
CAMERA = "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=320,height=240,framerate=15/1 ! queue"
CAPS = {
    "VP8": "application/x-rtp,media=video,encoding-name=VP8,payload=96,clock-rate=90000",
    "VP9": "application/x-rtp,media=video,encoding-name=VP9,payload=98,clock-rate=90000",
    "H264": "application/x-rtp,media=video,encoding-name=H264,payload=100,clock-rate=90000,"
    "packetization-mode=(string)1,profile-level-id=(string)42e01f,level-asymmetry-allowed=(string)1",
    "AV1": "application/x-rtp,media=video,encoding-name=AV1,payload=102,clock-rate=90000",
    "OPUS": "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,encoding-params=(string)2",
}


def missing(chain):
    """The first element of a chain that is not installed."""
    names = [part.split()[0] for part in chain.split("!")]
    return next((name for name in names if "/" not in name and not Gst.ElementFactory.find(name)), None)


def lacks(chains):
    """For each video codec the reason why it cannot be used, or False."""
    return {codec: missing(chain) and f"there is no {missing(chain)}" or False for codec, chain in chains.items()}


class Source:
    """Sends RTP to ports of loopback."""

    def __init__(self, codec, video, audio):
        self.pipeline = Gst.parse_launch(
            f"{CAMERA} ! {SEND[codec]} ! udpsink host=127.0.0.1 port={video} "
            f"{SEND_AUDIO} ! udpsink host=127.0.0.1 port={audio}"
        )
        self.pipeline.set_state(Gst.State.PLAYING)


class Video:
    """Counts the decoded frames of a video."""

    def __init__(self, sink):
        self.frames = 0
        self.sink = sink
        self.moved = time.monotonic()
        sink.add_probe(Gst.PadProbeType.BUFFER, self.count)

    def count(self, _pad, _info):
        self.frames += 1
        self.moved = time.monotonic()
        return Gst.PadProbeReturn.OK

    def ask_again(self):
        """After a loss a depayloader asks for a key frame once, and waits for ever for one that is lost as well."""
        if time.monotonic() - self.moved > 2:
            self.moved = time.monotonic()
            self.sink.push_event(GstVideo.video_event_new_upstream_force_key_unit(Gst.CLOCK_TIME_NONE, True, 0))


class Connection:
    def __init__(self, source=""):
        self.loop = asyncio.get_running_loop()
        # Without a source it is one element, and no pipeline.
        launched = Gst.parse_launch(f"webrtcbin name=w bundle-policy=max-bundle {source}")
        self.pipeline = launched if source else Gst.Pipeline()
        if not source:
            self.pipeline.add(launched)
        self.webrtc = self.pipeline.get_by_name("w")
        # Without it webrtcbin sends no consent checks (RFC 7675). The objects have to be kept.
        self.ice = self.webrtc.get_property("ice-agent")
        self.agent = self.ice.get_property("agent")
        self.agent.set_property("keepalive-conncheck", True)
        self.webrtc.connect("pad-added", self.pad_added)
        self.video = []
        self.audio = []
        self.codec = ""
        self.fault = ""
        self.negotiation_needed = asyncio.Event()
        self.webrtc.connect("on-negotiation-needed", lambda _: self.threadsafe(self.negotiation_needed.set))

    def threadsafe(self, function, *arguments):
        self.loop.call_soon_threadsafe(function, *arguments)

    async def ask(self, signal, *arguments):
        """Emits a signal of webrtcbin whose last argument is a promise, and waits for what comes of it."""
        future = self.loop.create_future()
        promise = Gst.Promise.new_with_change_func(lambda promise, *_: self.threadsafe(future.set_result, promise))
        self.webrtc.emit(signal, *arguments, promise)
        await asyncio.wait_for(future, 10)
        reply = promise.get_reply()
        if reply is not None and reply.has_field("error"):
            raise RuntimeError(f"{signal}: {reply.get_value('error').message}")
        return reply

    async def describe(self, kind):
        """Makes an offer or an answer and sets it."""
        reply = await self.ask(f"create-{kind}", None)
        await self.ask("set-local-description", reply.get_value(kind))
        return self.webrtc.get_property("local-description").sdp.as_text()

    async def set_remote(self, kind, sdp):
        _, message = GstSdp.SDPMessage.new_from_text(sdp)
        description = GstWebRTC.WebRTCSessionDescription.new(kind, message)
        await self.ask("set-remote-description", description)

    def pad_added(self, _, pad):
        if pad.direction != Gst.PadDirection.SRC:
            return
        try:
            self.play_pad(pad)
        except Exception as error:
            self.fault = f"{pad.name}: {error!r}"

    def play_pad(self, pad):
        codec = pad.get_current_caps().get_structure(0).get_string("encoding-name")
        receive = RECEIVE_AUDIO if codec == "OPUS" else RECEIVE[codec]
        chain = Gst.parse_bin_from_description(f"queue ! {receive} ! fakesink name=sink sync=false", True)
        sink = chain.get_by_name("sink").get_static_pad("sink")
        if codec == "OPUS":
            self.audio.append(0)
            sink.add_probe(Gst.PadProbeType.BUFFER, self.count_audio, len(self.audio) - 1)
        else:
            self.video.append(Video(sink))
            self.codec = codec
        self.pipeline.add(chain)
        chain.sync_state_with_parent()
        linked = pad.link(chain.get_static_pad("sink"))
        if linked != Gst.PadLinkReturn.OK:
            raise RuntimeError(f"not linked: {linked.value_nick}")

    def count_audio(self, _pad, info, index):
        buffer = info.get_buffer()
        if any(buffer.extract_dup(0, buffer.get_size())):
            self.audio[index] += 1
        return Gst.PadProbeReturn.OK

    async def offer_to_receive(self, kinds):
        for kind in kinds:
            video = [codec for codec, reason in lacks(RECEIVE).items() if not reason]
            caps = Gst.Caps.from_string("; ".join(CAPS[codec] for codec in (["OPUS"] if kind == "audio" else video)))
            direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            self.webrtc.emit("add-transceiver", direction, caps).set_property("do-nack", True)
        await asyncio.wait_for(self.negotiation_needed.wait(), 10)
        return await self.describe("offer")

    async def answer(self, sdp):
        await self.set_remote(GstWebRTC.WebRTCSDPType.OFFER, sdp)
        return await self.describe("answer")

    def play(self):
        if self.pipeline.set_state(Gst.State.PLAYING) == Gst.StateChangeReturn.FAILURE:
            raise RuntimeError("the pipeline does not start")

    def error(self):
        message = self.pipeline.get_bus().pop_filtered(Gst.MessageType.ERROR)
        return self.fault if message is None else ": ".join([self.fault, *map(str, message.parse_error())])


connections = {}


def add(connection):
    identity = str(len(connections))
    connections[identity] = connection
    return identity


async def about():
    major, minor, *_ = Gst.version()
    return {"version": f"{major}.{minor}", "send": lacks(SEND), "receive": lacks(RECEIVE)}


async def create_pusher(options):
    connection = Connection(f"{CAMERA} ! {SEND[options['codec']]} ! w. {SEND_AUDIO} ! w.")
    identity = add(connection)
    connection.play()
    await asyncio.wait_for(connection.negotiation_needed.wait(), 10)
    connection.webrtc.emit("get-transceiver", 0).set_property("do-nack", True)
    return {"id": identity, "offer": await connection.describe("offer")}


async def create_puller(options):
    connection = Connection()
    identity = add(connection)
    connection.play()
    return {"id": identity, "offer": await connection.offer_to_receive(options["kinds"])}


async def offer_again(identity, options):
    return await connections[identity].offer_to_receive(options["kinds"])


async def send_rtp(options):
    return add(Source(**options))


async def accept_answer(identity, sdp):
    await connections[identity].set_remote(GstWebRTC.WebRTCSDPType.ANSWER, sdp)


async def answer_offer(sdp):
    connection = Connection()
    identity = add(connection)
    connection.play()
    return {"id": identity, "answer": await connection.answer(sdp)}


async def answer_again(identity, sdp):
    return await connections[identity].answer(sdp)


async def received(identity):
    connection = connections[identity]
    for video in connection.video:
        video.ask_again()
    return {
        "video": [video.frames for video in connection.video],
        "audio": connection.audio,
        "codec": connection.codec,
        "fault": connection.error(),
    }


async def close(identity):
    connections[identity].pipeline.set_state(Gst.State.NULL)


asyncio.run(
    serve(
        {
            "about": about,
            "createPusher": create_pusher,
            "createPuller": create_puller,
            "sendRtp": send_rtp,
            "acceptAnswer": accept_answer,
            "answerOffer": answer_offer,
            "offerAgain": offer_again,
            "answerAgain": answer_again,
            "received": received,
            "close": close,
        }
    )
)
