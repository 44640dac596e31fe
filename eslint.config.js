import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * The layers of `src`, from the lowest to the highest. Nothing imports upwards. `allowed` narrows that to some of the
 * layers below.
 *
 * @type {{ name: string; allowed?: string[] }[]}
 */
const layers = [
	{ name: 'protocol', allowed: [] },
	{ name: 'client', allowed: ['protocol'] },
	{ name: 'cluster', allowed: ['protocol'] },
	{ name: 'sdp' },
	{ name: 'media' },
	{ name: 'stats' },
	{ name: 'layers' },
	{ name: 'tracks' },
	{ name: 'data' },
	{ name: 'connections' },
	{ name: 'rooms' },
	// The public surface of the core.
	{ name: 'index' },
	{ name: 'signaling', allowed: ['protocol', 'index'] },
	{ name: 'protoo', allowed: ['protocol', 'index', 'signaling/index', 'signaling/app'] },
	{ name: 'metrics', allowed: ['protocol', 'index'] },
	{ name: 'tracing', allowed: ['index'] },
	{ name: 'socketIo', allowed: ['protocol', 'index', 'signaling/index', 'signaling/app'] },
	{ name: 'express', allowed: ['protocol', 'index', 'protoo/index'] },
	{ name: 'fastify', allowed: ['protocol', 'index', 'protoo/index'] },
	{ name: 'http', allowed: ['protocol', 'index', 'signaling/index'] },
];

/** @returns {import('eslint').Linter.Config[]} */
const layerRules = () =>
	layers.map(({ name, allowed }, index) => ({
		files: [name === 'index' ? 'src/index.ts' : `src/${name}/**/*.ts`],
		rules: {
			'no-restricted-imports': [
				'error',
				{
					patterns: [
						{
							regex: forbiddenImports(name, index, allowed),
							message: `src/${name} must not import this: see the order of the layers in eslint.config.js.`,
						},
					],
				},
			],
		},
	}));

/**
 * @param {string} name
 * @param {number} index
 * @param {string[] | undefined} allowed
 */
function forbiddenImports(name, index, allowed) {
	const others = layers.filter((layer) => layer.name !== name);
	const isAllowed = (/** @type {string} */ other) =>
		allowed ? allowed.includes(other) : layers.findIndex((layer) => layer.name === other) < index;
	const forbidden = others.map((layer) => layer.name).filter((other) => !isAllowed(other));
	const paths = forbidden.map((other) => {
		if (other === 'index') return '(\\.\\./)+index\\.js$';
		const entries = (allowed ?? [])
			.filter((entry) => entry.startsWith(`${other}/`))
			.map((entry) => entry.slice(other.length + 1));
		const entry = entries.length > 0 ? `(?!(?:${entries.join('|')})\\.js$)` : '';
		return `(\\.\\./)+${other}/${entry}`;
	});
	return `^(${paths.join('|')})`;
}

export default defineConfig(
	globalIgnores(['dist', 'examples/*/public', 'test/package/fixtures']),
	js.configs.recommended,
	tseslint.configs.strictTypeChecked,
	tseslint.configs.stylisticTypeChecked,
	{
		languageOptions: { parserOptions: { projectService: true } },
		rules: {
			// typed-emitter's event maps have to be types.
			'@typescript-eslint/consistent-type-definitions': 'off',
			'@typescript-eslint/consistent-type-imports': 'error',
			'@typescript-eslint/no-unnecessary-type-parameters': 'off',
			'@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
			'@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
			'@typescript-eslint/switch-exhaustiveness-check': 'error',
			'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
		},
	},
	{ files: ['*.config.*'], rules: { 'no-restricted-exports': 'off' } },
	{
		files: ['src/**'],
		rules: { 'max-lines': ['error', { max: 350, skipBlankLines: false, skipComments: false }] },
	},
	{
		files: ['test/**/*.ts', 'bench/**/*.ts'],
		// node:test's describe() and it() return promises that its runner awaits.
		rules: {
			'@typescript-eslint/no-floating-promises': [
				'error',
				{
					allowForKnownSafeCalls: [
						{ from: 'package', name: ['describe', 'it', 'test', 'before', 'after'], package: 'node:test' },
					],
				},
			],
			'@typescript-eslint/no-non-null-assertion': 'off',
		},
	},
	...layerRules(),
	prettier,
);
