/** Finds circles of imports in src, those of types included. The order of the layers itself is in eslint.config.js. */
export default {
	forbidden: [
		{
			name: 'no-circles',
			comment: 'No file imports itself by way of others, not even its types.',
			severity: 'error',
			from: {},
			to: { circular: true },
		},
	],
	options: {
		doNotFollow: { path: 'node_modules' },
		includeOnly: '^src/',
		tsConfig: { fileName: 'tsconfig.json' },
		tsPreCompilationDeps: true,
	},
};
