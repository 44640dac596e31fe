import js from '@eslint/js';
import prettier from 'eslint-config-prettier';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * Nothing imports upwards: sdp → media → core → adapters. Each layer names what it must not know.
 *
 * @param {string} layer
 * @param {string[]} forbidden
 * @returns {import('eslint').Linter.Config}
 */
const layer = (layer, forbidden) => ({
	files: [`src/${layer}/**/*.ts`],
	rules: {
		'no-restricted-imports': [
			'error',
			{
				patterns: [
					{
						group: forbidden.flatMap((name) => [`**/${name}/*`, `**/${name}`]),
						message: `src/${layer} must not import this: see "Architecture" in README.md.`,
					},
				],
			},
		],
	},
});

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
			'@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
			'@typescript-eslint/switch-exhaustiveness-check': 'error',
			'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
		},
	},
	{ files: ['*.config.*'], rules: { 'no-restricted-exports': 'off' } },
	{
		files: ['test/**/*.ts'],
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
	layer('sdp', ['media', 'core', 'protoo', 'eventemitter3', 'ajv']),
	layer('media', ['core', 'protoo', 'ajv']),
	layer('core', ['protoo', 'ajv', 'ws']),
	layer('protoo', ['media', 'sdp', 'mediasoup']),
	prettier,
);
