import js from '@eslint/js';
import globals from 'globals';

export default [
  { ignores: ['node_modules/', 'artifacts/'] },
  js.configs.recommended,
  {
    files: ['**/*.mjs'],
    languageOptions: { globals: globals.node },
  },
  {
    // Functions handed to page.evaluate run in the browser.
    files: ['*.test.mjs', 'harness/**/*.mjs'],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
  },
  {
    files: ['client/**/*.js', 'engines/viewer/**/*.js', 'harness/viewers/**/*.jsx'],
    languageOptions: {
      globals: globals.browser,
      parserOptions: { ecmaFeatures: { jsx: true } },
    },
  },
];
