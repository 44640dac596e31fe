import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { toNodeListener } from 'sfu-rooms/http';
import { isNotInstalled } from '../clients/processClients.js';
import { until } from '../media/setup.js';
import { mediaPushers } from '../support/parted.js';
import { startHttp } from './setup.js';

const patience = 30_000;
const script = fileURLToPath(new URL('../clients/ffmpeg_whip.py', import.meta.url));

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
	it('pushes H264 and Opus by WHIP, and again after it was killed, in its own place', async (t) => {
		const folder = mkdtempSync(join(tmpdir(), 'sfu-rooms-whip-'));
		const [file, key, certificate] = ['whip.mkv', 'key.pem', 'certificate.pem'].map((name) => join(folder, name));
		t.after(() => {
			rmSync(folder, { recursive: true });
		});
		execFileSync('gst-launch-1.0', [
			'-q',
			'matroskamux',
			'name=m',
			'!',
			'filesink',
			`location=${file!}`,
			...encode.split(' '),
		]);
		const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
		const out = ['-keyout', key!, '-out', certificate!, '-days', '30', '-subj', '/CN=ffmpeg'];
		execFileSync('openssl', ['req', '-x509', '-nodes', ...curve, ...out], { stdio: 'ignore' });
		const { sfu, http } = await startHttp(t, { authorize: ({ token }) => token === 'key' || undefined });
		const server = createServer(toNodeListener(http.handle));
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		t.after(() => {
			server.close();
			server.closeAllConnections();
		});
		const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/whip/stage/alice`;
		const own = [`cert_file=${certificate!}`, `key_file=${key!}`];
		const connections = new Set<string>();
		for (let started = 0; started < 2; started++) {
			const child = spawn('python3', ['-B', script, file!, url, 'key', ...own], { stdio: 'ignore' });
			t.after(() => child.kill('SIGKILL'));
			const pushers = () => {
				const alice = sfu.rooms.get('stage')?.users.get('alice');
				return alice ? mediaPushers(alice).filter(({ connectionId }) => !connections.has(connectionId)) : [];
			};
			await until(
				async () => {
					const stats = await Promise.all(pushers().map((pusher) => pusher.getStats().catch(() => undefined)));
					return stats.length === 2 && stats.every((of) => of?.streams.some(({ packets }) => packets > 20));
				},
				'audio and video arrive',
				patience,
			);
			assert.deepEqual(
				pushers()
					.map(({ media }) => media.codec)
					.sort(),
				['H264', 'opus'],
			);
			for (const { connectionId } of pushers()) connections.add(connectionId);
			child.kill('SIGKILL');
		}
		assert.equal(connections.size, 2);
		assert.equal(http.sessions, 1);
	});
});
