// Takes 20 s.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { it } from 'node:test';
import { build } from 'esbuild';
import { cannotRun } from '../support/browsers.js';
import { startRoomServer, until } from '../support/clientPages.js';
import { startChromium } from './demo.js';

const example = join(import.meta.dirname, '../../examples/react');

it('The React example shows everybody, mutes, and leaves', { skip: cannotRun('Chromium') }, async (t) => {
	const { outputFiles } = await build({
		entryPoints: [join(example, 'main.tsx')],
		bundle: true,
		write: false,
		format: 'esm',
		define: { 'process.env.NODE_ENV': '"production"' },
		tsconfig: join(example, 'tsconfig.json'),
	});
	const rooms = await startRoomServer();
	const site = createServer(({ url }, response) => {
		if (url === '/main.js') response.setHeader('content-type', 'text/javascript').end(outputFiles[0]!.text);
		else {
			const html = '<!doctype html><div id="root"></div><script type="module" src="/main.js"></script>';
			response.setHeader('content-type', 'text/html').end(html);
		}
	});
	await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
	const browser = await startChromium();
	t.after(async () => {
		await browser.close();
		site.close();
		site.closeAllConnections();
		rooms.close();
	});
	const open = async (name: string) => {
		const page = await browser.newPage();
		page.on('pageerror', (error) => {
			assert.fail(error);
		});
		const { port } = site.address() as AddressInfo;
		await page.goto(`http://127.0.0.1:${port}/?name=${name}&server=${encodeURIComponent(rooms.url)}`);
		return page;
	};
	const ada = await open('Ada');
	const grace = await open('Grace');
	for (const [page, other] of [
		[ada, 'Grace'],
		[grace, 'Ada'],
	] as const) {
		const tile = page.locator('figure').filter({ hasText: `${other} camera` });
		await tile.waitFor();
		await until(
			() =>
				tile
					.locator('video')
					.evaluate(
						(video: unknown) =>
							(video as { getVideoPlaybackQuality(): { totalVideoFrames: number } }).getVideoPlaybackQuality()
								.totalVideoFrames > 10,
					),
			`${other} plays`,
		);
		await page
			.locator('figure')
			.filter({ hasText: `${other} microphone` })
			.waitFor();
	}
	await ada.getByRole('button', { name: 'mute', exact: true }).click();
	await grace.getByText('Ada microphone (muted)').waitFor();
	await ada.getByRole('button', { name: 'unmute' }).click();
	await grace.getByText('Ada microphone (muted)').waitFor({ state: 'detached' });
	await ada.getByRole('button', { name: 'share' }).click();
	await grace.getByText('Ada screen').first().waitFor();
	await ada.close();
	await grace.getByText('Ada camera').waitFor({ state: 'detached' });
	assert.equal(rooms.sfu.rooms.get('react')!.users.size, 1);
});
