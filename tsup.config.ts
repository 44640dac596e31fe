import { defineConfig } from 'tsup';

export default defineConfig({
	entry: {
		index: 'src/index.ts',
		protocol: 'src/protocol/index.ts',
		client: 'src/client/index.ts',
		cluster: 'src/cluster/index.ts',
		signaling: 'src/signaling/index.ts',
		protoo: 'src/protoo/index.ts',
		metrics: 'src/metrics/index.ts',
		tracing: 'src/tracing/index.ts',
		socketIo: 'src/socketIo/index.ts',
		express: 'src/express/index.ts',
		fastify: 'src/fastify/index.ts',
		http: 'src/http/index.ts',
	},
	format: ['esm', 'cjs'],
	target: 'node20',
	platform: 'node',
	// Shared chunks in both formats: one SfuError class for all entries, so that instanceof holds across them.
	splitting: true,
	clean: true,
	sourcemap: true,
	dts: {
		// Types only: a dependency on typed-emitter would break `nodenext` consumers and bring rxjs along.
		resolve: ['typed-emitter'],
		// The client is for browsers.
		compilerOptions: { ignoreDeprecations: '6.0', stripInternal: true, lib: ['es2023', 'dom', 'dom.iterable'] },
	},
});
