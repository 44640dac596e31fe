import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Sfu } from 'sfu-rooms';
import type { Handle } from 'sfu-rooms/http';
import { isNotInstalled } from '../clients/processClients.js';
import { until } from '../media/setup.js';
import { mediaPushers } from '../support/parted.js';
import { DtlsRelay } from './DtlsRelay.js';
import { serve, startHttp } from './setup.js';

const patience = 30_000;
const script = fileURLToPath(new URL('../clients/ffmpeg_whip.py', import.meta.url));
const takesP224 = fileURLToPath(new URL('../../examples/whip/openssl.cnf', import.meta.url));

/** The numbers of curves (RFC 8422, section 5.1.1). */
const curves: Record<string, number> = { secp224r1: 21, prime256v1: 23 };

/** The alert with which a handshake is refused whose values do not fit (RFC 5246, section 7.2). */
const illegalParameter = 47;

/** FFmpeg 8 comes with PyAV, which `pip install av` has. PYTHONPATH may say where it is. */
function cannotRun(): string | false {
	const { status, stderr } = spawnSync('python3', ['-B', script, '', '', ''], { encoding: 'utf8' });
	if (status !== 0) return `there is no FFmpeg with WHIP: ${stderr.trim().split('\n').at(-1) ?? 'no python3'}`;
	return isNotInstalled('GStreamer');
}

const encode = [
	'videotestsrc num-buffers=90 pattern=ball ! video/x-raw,format=I420,width=320,height=240,framerate=15/1',
	'! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 bframes=0 bitrate=300',
	'! video/x-h264,profile=constrained-baseline ! h264parse ! m.',
	'audiotestsrc num-buffers=280 ! audio/x-raw,rate=48000,channels=2 ! opusenc ! m.',
].join(' ');

describe('FFmpeg', { skip: cannotRun() }, () => {
	const folder = mkdtempSync(join(tmpdir(), 'sfu-rooms-whip-'));
	const [file, key, certificate] = ['whip.mkv', 'key.pem', 'certificate.pem'].map((name) => join(folder, name));
	const own = [`cert_file=${certificate!}`, `key_file=${key!}`];
	/** As the DTLS server it waits for a packet of the worker before each of its own, once a message of the handshake came again. */
	const asDtlsClient = 'whip_flags=dtls_active';

	before(() => {
		const muxer = ['-q', 'matroskamux', 'name=m', '!', 'filesink', `location=${file!}`];
		execFileSync('gst-launch-1.0', [...muxer, ...encode.split(' ')]);
		const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
		const out = ['-keyout', key!, '-out', certificate!, '-days', '30', '-subj', '/CN=ffmpeg'];
		execFileSync('openssl', ['req', '-x509', '-nodes', ...curve, ...out], { stdio: 'ignore' });
	});

	after(() => {
		rmSync(folder, { recursive: true });
	});

	/** Starts it. */
	function push(t: TestContext, origin: string, options: string[]) {
		const url = `${origin}/whip/stage/alice`;
		const child = spawn('python3', ['-B', script, file!, url, 'key', ...options], { stdio: 'ignore' });
		t.after(() => child.kill('SIGKILL'));
		return child;
	}

	const pushersOf = (sfu: Sfu) => {
		const alice = sfu.rooms.get('stage')?.users.get('alice');
		return alice ? mediaPushers(alice) : [];
	};

	/** Waits until both tracks of a connection have come that is not one of those before. */
	async function arrived(sfu: Sfu, before: ReadonlySet<string> = new Set(), most = 20) {
		const pushers = () => pushersOf(sfu).filter(({ connectionId }) => !before.has(connectionId));
		await until(
			async () => {
				const stats = await Promise.all(pushers().map((pusher) => pusher.getStats().catch(() => undefined)));
				return stats.length === 2 && stats.every((of) => of?.streams.some(({ packets }) => packets > most));
			},
			'audio and video arrive',
			patience,
		);
		const codecs = pushers().map(({ media }) => media.codec);
		assert.deepEqual(codecs.sort(), ['H264', 'opus']);
		return pushers()[0]!.connectionId;
	}

	it('pushes H264 and Opus by WHIP, and again after it was killed, in its own place', async (t) => {
		const { sfu, http } = await startHttp(t, { authorize: ({ token }) => token === 'key' || undefined });
		const url = await serve(t, http.handle);
		const connections = new Set<string>();
		for (let started = 0; started < 2; started++) {
			const child = push(t, url, [...own, asDtlsClient]);
			connections.add(await arrived(sfu, connections));
			child.kill('SIGKILL');
		}
		assert.equal(connections.size, 2);
		assert.equal(http.sessions, 1);
	});

	it('ends its session when it is stopped, and its session ends without a word when it is killed', async (t) => {
		const { sfu, http } = await startHttp(t, {}, { webRtc: { consentTimeout: 2000, disconnectTimeout: 500 } });
		const methods: string[] = [];
		const url = await serve(t, (request, peer) => {
			methods.push(request.method);
			return http.handle(request, peer);
		});
		const stopped = push(t, url, [...own, asDtlsClient]);
		await arrived(sfu);
		stopped.kill('SIGINT');
		await until(() => http.sessions === 0, 'the session has ended', patience);
		assert.deepEqual(methods, ['POST', 'DELETE']);
		const killed = push(t, url, [...own, asDtlsClient]);
		await arrived(sfu);
		killed.kill('SIGKILL');
		await until(() => http.sessions === 0, 'the session has ended', patience);
		assert.deepEqual(methods, ['POST', 'DELETE', 'POST']);
	});

	/** Lets it push through a relay. */
	async function pushThrough(t: TestContext, relay: DtlsRelay, options: string[]) {
		const { sfu, http } = await startHttp(t);
		let fingerprint = '';
		const handle: Handle = async (request, peer) => {
			if (request.method !== 'POST') return http.handle(request, peer);
			fingerprint = /^a=fingerprint:sha-256 (\S+)/m.exec(await request.clone().text())![1]!;
			const response = await http.handle(request, peer);
			const { status, headers } = response;
			return new Response(relay.takeOver(await response.text()), { status, headers });
		};
		push(t, await serve(t, handle), options);
		await until(() => relay.certificates.has('client'), 'its certificate has come', patience);
		const certificateSent = relay.certificates.get('client')!;
		assert.equal(certificateSent.fingerprint256, fingerprint);
		return { sfu, http, certificateSent };
	}

	it('pushes as fast as it should over a long path, as the DTLS client', async (t) => {
		const { sfu } = await pushThrough(t, await DtlsRelay.start(t, 80), [...own, asDtlsClient]);
		await arrived(sfu, new Set(), 100);
	});

	it('is refused without a certificate of its own if that is on a curve which the worker has not offered', async (t) => {
		const relay = await DtlsRelay.start(t);
		const { sfu, http, certificateSent } = await pushThrough(t, relay, []);
		const curve = curves[certificateSent.publicKey.asymmetricKeyDetails!.namedCurve!]!;
		if (relay.offeredCurves.includes(curve)) {
			// Not every FFmpeg makes such a certificate.
			await arrived(sfu, new Set(), 0);
			assert.deepEqual(relay.alerts, []);
			return;
		}
		await until(() => relay.alerts.length > 0, 'the worker refuses it', patience);
		assert.deepEqual(relay.alerts[0], { by: 'server', description: illegalParameter });
		await until(() => http.sessions === 0, 'the session has ended', patience);
	});

	it('pushes without a certificate of its own where the configuration of OpenSSL lets the worker take that curve', async (t) => {
		process.env.OPENSSL_CONF = takesP224;
		t.after(() => {
			delete process.env.OPENSSL_CONF;
		});
		const relay = await DtlsRelay.start(t);
		const { sfu } = await pushThrough(t, relay, []);
		await arrived(sfu, new Set(), 0);
		assert.deepEqual(relay.alerts, []);
	});
});
