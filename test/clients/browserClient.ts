import { execFileSync } from 'node:child_process';
import { executables, startBrowser, type BrowserName } from '../support/browsers.js';
import type { VideoCodec } from '../support/client.js';
import type { Client, Lacks } from './Client.js';

/** A browser, with all its RTCPeerConnections on one page. */
export async function startBrowserClient(name: BrowserName): Promise<Client> {
	const browser = await startBrowser(name);
	const { client } = await browser.newPage();
	return {
		async about() {
			const { send, receive } = await client.videoCodecs();
			return {
				version: /\d+/.exec(execFileSync(executables[name], ['--version'], { encoding: 'utf8' }))?.[0] ?? '',
				send: lacks(name, send),
				receive: lacks(name, receive),
			};
		},
		createPusher: client.createPusher,
		createPuller: client.createPuller,
		acceptAnswer: client.acceptAnswer,
		offerAgain: (id, { kinds }) => client.offerAgain(id, ...kinds.map((kind) => ({ receive: kind }))),
		answerOffer: (sdp) => client.answerOffer(sdp),
		answerAgain: async (id, sdp) => (await client.answerOffer(sdp, id)).answer,
		async received(id) {
			const { video, audio } = await client.stats(id);
			return {
				video: video.map(({ framesDecoded }) => framesDecoded),
				audio: audio.map(({ totalAudioEnergy }) => totalAudioEnergy),
				codec: video[0]?.codec.replace('video/', '') ?? '',
				fault: '',
			};
		},
		close: client.close,
		stop: () => browser.close(),
	};
}

function lacks(name: BrowserName, mimeTypes: readonly string[]): Lacks {
	const lacking = (codec: VideoCodec) => !mimeTypes.includes(`video/${codec}`) && reason(name, codec);
	return { VP8: lacking('VP8'), VP9: lacking('VP9'), H264: lacking('H264'), AV1: lacking('AV1') };
}

const reason = (name: BrowserName, codec: VideoCodec) =>
	name === 'Firefox' && codec === 'H264' ? 'without its OpenH264 plugin, which it downloads' : 'it does not list it';
