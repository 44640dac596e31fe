import { buildSync } from 'esbuild';

/** The client as one file, for pages without a bundler. An app that has one imports `sfu-rooms/client` instead. */
export function bundleClient(): Buffer {
	const { outputFiles } = buildSync({
		stdin: { contents: "export * from 'sfu-rooms/client';", resolveDir: import.meta.dirname },
		bundle: true,
		minify: true,
		format: 'esm',
		write: false,
	});
	return Buffer.from(outputFiles[0]?.contents ?? []);
}
