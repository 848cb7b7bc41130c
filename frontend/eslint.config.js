import { defineConfigWithVueTs, vueTsConfigs } from '@vue/eslint-config-typescript'
import prettier from 'eslint-config-prettier/flat'
import vue from 'eslint-plugin-vue'

export default defineConfigWithVueTs(
  { ignores: ['dist', 'src/client', 'playwright-report', 'test-results'] },
  vue.configs['flat/recommended'],
  vueTsConfigs.strictTypeChecked,
  prettier,
  {
    rules: {
      // The views have the original template's names.
      'vue/multi-word-component-names': 'off',
      'vue/no-v-html': 'error',
      // TypeScript knows what may be undefined.
      'vue/require-default-prop': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A route's promise ends with the navigation, which shows its own failure.
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Takes the defaults of optional props for useless.
      '@typescript-eslint/no-useless-default-assignment': 'off',
    },
  },
)
