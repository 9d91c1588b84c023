import js from '@eslint/js';
import globals from 'globals';

// Run from the root of the repository: the scripts of the crate's and the quickstart's pages count, too.
export default [
  { ignores: ['**/node_modules/', '**/artifacts/', '**/.venv/'] },
  js.configs.recommended,
  {
    files: ['**/*.mjs'],
    languageOptions: { globals: globals.node },
  },
  {
    // Functions handed to page.evaluate run in the browser.
    files: ['tests/browser/*.test.mjs', 'tests/browser/harness/**/*.mjs'],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
  },
  {
    files: ['tests/browser/**/*.{js,jsx}', 'examples/**/*.js'],
    languageOptions: {
      globals: globals.browser,
      parserOptions: { ecmaFeatures: { jsx: true } },
    },
  },
  {
    // The pages of the crate: served inline, one script each.
    files: ['src/**/*.js'],
    languageOptions: { globals: globals.browser, sourceType: 'script' },
  },
];
